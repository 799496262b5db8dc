#include "export/s3_connection.hpp"

#include "pg/error.hpp"
#include "pg/guc.hpp"
#include "s3/credentials/chain.hpp"
#include "tables/call_of.hpp"
#include "tables/policy.hpp"

namespace hydra::exporting {
namespace {

using pg::Error;

std::unique_ptr<s3::credentials::Source> source_of(const Account& account,
                                                   const s3::EndpointSettings& target) {
  const tables::Destination& destination = account.destination;
  if (destination.credentials == "static" && !account.saved) {
    throw Error(
        ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
        "destination \"" + destination.name + "\" has no credentials", "",
        "Save them with " +
            tables::call_of("configure", destination.name, "access_key => ..., secret_key => ...") +
            ".");
  }
  return s3::credentials::make_source(
      {destination.credentials, account.saved.value_or(s3::Credentials{}), destination.role_arn,
       destination.external_id},
      target, s3::credentials::host_environment());
}

// All options except the source of the keys.
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

Account account_of(const tables::Destination& destination) {
  return {destination, tables::load_credentials(destination.name)};
}

s3::Options client_options(const Account& account) {
  s3::Options options = options_without_keys(account.destination);
  options.source = source_of(account, options.target);
  return options;
}

s3::Options client_options(const Account& account,
                           std::shared_ptr<s3::credentials::Source> source) {
  s3::Options options = options_without_keys(account.destination);
  options.source = std::move(source);
  return options;
}

}  // namespace hydra::exporting
