#include "export/access.hpp"

#include "base/sha256.hpp"
#include "export/condition.hpp"
#include "export/uploader.hpp"
#include "pg/guc.hpp"
#include "pg/spi.hpp"
#include "pg/transaction.hpp"
#include "s3/credentials/chain.hpp"
#include "tables/policy.hpp"

namespace hydra::exporting {
namespace {

using pg::Error;

constexpr const char* check_name = "_hydra_export_check";
constexpr const char* check_text = "hydra_export may write here\n";

// Keys that are saved need no source, unless they serve to assume a role.
void use_credentials(const Account& account, s3::Options& options) {
  const tables::Destination& destination = account.destination;
  const bool is_static = destination.credentials == "static";
  if (is_static && !account.saved) {
    throw Error(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                "destination \"" + destination.name + "\" has no credentials", "",
                "Save them with hydra_export.configure(access_key => ..., secret_key => ...).");
  }
  options.credentials = account.saved.value_or(s3::Credentials{});
  if (is_static && destination.role_arn.empty()) return;
  options.source = s3::credentials::make_source(
      {destination.credentials, options.credentials, destination.role_arn, destination.external_id},
      options.target, s3::credentials::host_environment());
  options.credentials = {};
}

}  // namespace

Account account_of(const tables::Destination& destination) {
  return {destination, tables::load_credentials(destination.name)};
}

namespace {

// But for the keys.
s3::Options options_without_keys(const tables::Destination& destination) {
  tables::check_policy(destination);
  s3::Options options;
  options.target = destination.endpoint_settings();
  options.places = tables::allowed_places();
  options.request_timeout = std::chrono::milliseconds(pg::guc::request_timeout);
  options.max_attempts = pg::guc::max_attempts;
  options.concurrency = pg::guc::upload_concurrency;
  options.ca_file = pg::guc::ca_file;
  options.object_headers = tables::to_headers(destination.object_headers);
  options.conditional = destination.is_conditional();
  options.user_agent = "hydra_export/" HYDRA_VERSION " PostgreSQL/" PG_VERSION;
  return options;
}

}  // namespace

s3::Options client_options(const Account& account) {
  s3::Options options = options_without_keys(account.destination);
  use_credentials(account, options);
  return options;
}

s3::Options client_options(const Account& account, const s3::Credentials& keys,
                           std::shared_ptr<s3::credentials::Source> source) {
  s3::Options options = options_without_keys(account.destination);
  options.credentials = keys;
  options.source = std::move(source);
  return options;
}

namespace {

// Somebody waits for the answer: fewer attempts than an export makes.
constexpr int attempts_of_a_check = 3;

// Overwrites it where the destination does not mind.
Asked store_check(s3::Client& client, const tables::Destination& destination,
                  const std::string& key) {
  const ConditionalText object{key, check_text, "text/plain"};
  if (destination.conditional != "off") return ask_condition(client, destination, object);
  Asked asked;
  asked.outcome = upload_text(client, key, object.text, object.content_type, s3::Existing::welcome);
  return asked;
}

}  // namespace

Access check_access(const std::string& name) {
  tables::Destination destination;
  s3::Options options;
  Access access;
  {
    pg::Transaction transaction;
    pg::AsOwner owner;
    destination = tables::get_destination(name);
    options = client_options(account_of(destination));
    access.key = pg::to_utf8(destination.prefix) + check_name;
    transaction.commit();
  }
  options.max_attempts = std::min(options.max_attempts, attempts_of_a_check);
  s3::Client client(std::move(options));
  // What is known is asked for again: the store may have changed.
  destination.condition_answer.clear();
  const Asked asked = store_check(client, destination, access.key);
  if (!asked.outcome.ok && !asked.was_there) {
    throw Error(ERRCODE_FDW_ERROR,
                "could not write object \"" + pg::from_utf8(access.key) +
                    "\": " + pg::from_utf8(asked.outcome.failure->text()),
                "", pg::from_utf8(asked.outcome.failure->hint().value_or("")));
  }
  if (!asked.answer.empty()) remember_condition(name, asked.answer);
  check_condition(destination, asked);
  access.conditional = asked.answer;
  access.identity = client.identity();
  if (access.identity.source.empty()) access.identity.source = "static";
  return access;
}

}  // namespace hydra::exporting
