#include "relations/move_rights.hpp"

#include "pg/error.hpp"
#include "pg/spi.hpp"
#include "relations/rights.hpp"
#include "tables/place.hpp"

namespace hydra::relations {
namespace {

using pg::Error;
using tables::Destination;
using tables::Model;

bool role_exists(Oid role) {
  return pg::call([=]() noexcept { return SearchSysCacheExists1(AUTHOID, role); });
}

void check_model_may_move(const Model& model, Oid caller) {
  const std::optional<RelationInfo> relation = describe_relation(model.relation);
  if (!relation || !role_exists(model.added_by)) return;
  try {
    check_rights(model, *relation, caller);
  } catch (const Error& problem) {
    if (problem.sqlstate() != ERRCODE_INSUFFICIENT_PRIVILEGE) throw;
    throw Error(
        ERRCODE_INSUFFICIENT_PRIVILEGE,
        "permission denied to change where objects go, or who may read them, for destination \"" +
            model.destination + "\"",
        "Model \"" + model.name + "\": " + problem.message() + ".",
        "Such a change requires SELECT on the tables of all models. Use a role that has it, or "
        "remove the model first.");
  }
}

// Waits for transactions that have added a model; one that adds a model later sees the new place.
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

void check_move(const Destination& before, const Destination& after, Oid caller) {
  if (!may_reach_others(before, after)) return;
  lock_models();
  check_holdings(before.name, caller);
}

void check_holdings(const std::string& destination, Oid caller) {
  constexpr int any = 3600;  // the value has no effect here
  for (const Model& model : tables::load_models(destination, any))
    check_model_may_move(model, caller);
}

}  // namespace hydra::relations
