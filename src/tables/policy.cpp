#include "tables/policy.hpp"

#include "pg/guc.hpp"
#include "pg/spi.hpp"
#include "s3/credentials/key_file.hpp"
#include "s3/places.hpp"

namespace hydra::tables {
namespace {

using pg::Error;

constexpr const char* endpoint_hint =
    "Give a URL such as https://s3.example.com, or '' for AWS; http:// to hosts other than "
    "loopback "
    "needs hydra_export.allow_http.";

Error bad_endpoint(const std::string& problem) {
  return Error(ERRCODE_INVALID_PARAMETER_VALUE, "endpoint " + problem, "", endpoint_hint);
}

// Reports the same for every place, so that errors tell nothing about hosts that may not be
// reached.
void check_place(const Destination& destination) {
  if (pg::guc::places_unknown) {
    throw Error(ERRCODE_CONFIG_FILE_ERROR, "the server's settings do not say where data may go",
                "hydra_export.allowed_places is not valid, or hydra_export.allowed_buckets, which "
                "it replaces, is still set.",
                "Have the server's administrator set hydra_export.allowed_places, such as "
                "'aws/exports-*, https://minio.example.com/exports'.");
  }
  const s3::Permit permit = allowed_places().permit(destination.endpoint_settings());
  if (permit != s3::Permit::none) return;
  throw Error(
      ERRCODE_INSUFFICIENT_PRIVILEGE,
      "bucket \"" + destination.bucket + "\" at this endpoint is not among the allowed places", "",
      "The server's administrator lists them in hydra_export.allowed_places. Loopback and "
      "link-local hosts are allowed only if the list names them.");
}

// Reports the same whether or not the file exists.
void check_key_file(const std::string& path) {
  const char* name = pg::call([]() noexcept { return get_database_name(MyDatabaseId); });
  const std::string database = name != nullptr ? name : "";
  if (s3::credentials::is_allowed_file(pg::guc::credential_files, path, database)) return;
  throw pg::Error(ERRCODE_INSUFFICIENT_PRIVILEGE,
                  "file \"" + path + "\" is not among those that may hold credentials", "",
                  "The server's administrator lists them in hydra_export.credential_files.");
}

}  // namespace

s3::Places allowed_places() {
  return s3::Places(pg::guc::allowed_places);
}

void check_policy(const Destination& destination) {
  const std::string& endpoint = destination.endpoint;
  if (!endpoint.empty()) {
    if (const auto problem = s3::endpoint_problem(endpoint, true)) throw bad_endpoint(*problem);
  }
  check_place(destination);
  if (destination.credentials.starts_with(s3::credentials::key_file_prefix)) {
    check_key_file(destination.credentials.substr(s3::credentials::key_file_prefix.size()));
  } else if (destination.credentials != "static" && !pg::guc::server_credentials) {
    throw Error(ERRCODE_INSUFFICIENT_PRIVILEGE,
                "credentials of the server are not allowed for destinations",
                "Credentials \"" + destination.credentials + "\" are keys of the server itself.",
                "Give access_key and secret_key, or a file with credentials => 'file:/path', or "
                "have the server's administrator set hydra_export.server_credentials.");
  }
  if (endpoint.empty()) return;
  const auto problem = s3::endpoint_problem(endpoint, pg::guc::allow_http);
  if (problem) throw bad_endpoint(*problem);
}

}  // namespace hydra::tables
