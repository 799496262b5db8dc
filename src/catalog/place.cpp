#include "catalog/place.hpp"

#include "catalog/model.hpp"
#include "catalog/rights.hpp"
#include "pg/error.hpp"
#include "pg/spi.hpp"

namespace hydra::catalog {
namespace {

using pg::Error;

bool same_store(const Destination& a, const Destination& b) {
  const std::string partition = s3::partition_of(a.endpoint_settings());
  if (partition != s3::partition_of(b.endpoint_settings())) return false;
  return !partition.empty() || a.endpoint == b.endpoint;
}

// Another host can be somebody else's, such as the bucket's name in front of the endpoint's.
bool has_another_host(const Destination& before, const Destination& after) {
  const s3::Endpoint one = s3::resolve(before.endpoint_settings());
  const s3::Endpoint other = s3::resolve(after.endpoint_settings());
  return one.url() != other.url() && !(one.is_aws() && other.is_aws());
}

bool lets_others_read(const Destination& before, const Destination& after) {
  return before.object_headers != after.object_headers &&
         s3::gives_access(to_headers(before.object_headers), to_headers(after.object_headers));
}

bool role_exists(Oid role) {
  return pg::call([=]() noexcept { return SearchSysCacheExists1(AUTHOID, role); });
}

void check_model_may_move(const Model& model, Oid caller) {
  const std::optional<Relation> relation = describe_relation(model.relation);
  if (!relation || !role_exists(model.added_by)) return;
  try {
    check_rights(model, *relation, caller);
  } catch (const Error& problem) {
    if (problem.sqlstate() != ERRCODE_INSUFFICIENT_PRIVILEGE) throw;
    throw Error(
        ERRCODE_INSUFFICIENT_PRIVILEGE,
        "permission denied to change who gets the objects of destination \"" + model.destination +
            "\"",
        "Model \"" + model.name + "\": " + problem.message() + ".",
        "Whoever changes where objects go, or who may read them, needs SELECT on the tables "
        "of all models. Have such a role do it, or remove the model first.");
  }
}

// A transaction that has added a model is waited for, and one that will sees the new place.
void lock_models() {
  if (IsolationUsesXactSnapshot()) {
    throw Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                "a destination cannot be moved in a transaction at this isolation level",
                "Its snapshot may be older than a model of the destination.",
                "Move it in a transaction at READ COMMITTED.");
  }
  pg::query("LOCK TABLE hydra_export.models IN SHARE ROW EXCLUSIVE MODE");
}

}  // namespace

std::string place_of(const Destination& destination) {
  const std::string partition = s3::partition_of(destination.endpoint_settings());
  const std::string& store = partition.empty() ? destination.endpoint : partition;
  return store + '\n' + destination.bucket + '\n' + destination.prefix;
}

bool overlap(const Destination& a, const Destination& b) {
  if (a.bucket != b.bucket || !same_store(a, b)) return false;
  return a.prefix.starts_with(b.prefix) || b.prefix.starts_with(a.prefix);
}

bool is_elsewhere(const Destination& before, const Destination& after) {
  return before.bucket != after.bucket || before.prefix != after.prefix ||
         before.endpoint != after.endpoint || !same_store(before, after);
}

void check_move(const Destination& before, const Destination& after, Oid caller) {
  const bool moves = is_elsewhere(before, after) || has_another_host(before, after);
  if (!moves && !lets_others_read(before, after)) return;
  lock_models();
  check_holdings(before.name, caller);
}

void check_holdings(const std::string& destination, Oid caller) {
  constexpr int any = 3600;  // seconds of an hour, for what is due
  for (const Model& model : load_models(destination, any))
    check_model_may_move(model, caller);
}

}  // namespace hydra::catalog
