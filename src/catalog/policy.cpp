#include "catalog/policy.hpp"

#include <string_view>

#include "pg/guc.hpp"
#include "pg/spi.hpp"
#include "s3/credentials/key_file.hpp"

namespace hydra::catalog {
namespace {

bool is_listed(std::string_view list, std::string_view bucket) {
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    std::string_view item = list.substr(0, comma);
    list.remove_prefix(std::min(comma + 1, list.size()));
    while (!item.empty() && item.front() == ' ')
      item.remove_prefix(1);
    while (!item.empty() && item.back() == ' ')
      item.remove_suffix(1);
    if (item == bucket) return true;
  }
  return false;
}

// The same words whether or not there is such a file.
void check_key_file(const std::string& path) {
  const char* name = pg::call([]() noexcept { return get_database_name(MyDatabaseId); });
  const std::string database = name != nullptr ? name : "";
  if (s3::credentials::is_allowed_file(pg::guc::credential_files, path, database)) return;
  throw pg::Error(ERRCODE_INSUFFICIENT_PRIVILEGE,
                  "file \"" + path + "\" is not among those that may hold credentials", "",
                  "The server's administrator lists them in hydra_export.credential_files.");
}

}  // namespace

void check_policy(const Destination& destination) {
  const std::string_view allowed = pg::guc::allowed_buckets;
  if (!allowed.empty() && !is_listed(allowed, destination.bucket)) {
    throw pg::Error(ERRCODE_INSUFFICIENT_PRIVILEGE,
                    "bucket \"" + destination.bucket + "\" is not among the allowed ones", "",
                    "The server's administrator lists them in hydra_export.allowed_buckets.");
  }
  if (destination.credentials.starts_with(s3::credentials::key_file_prefix)) {
    check_key_file(destination.credentials.substr(s3::credentials::key_file_prefix.size()));
  } else if (destination.credentials != "static" && !pg::guc::server_credentials) {
    throw pg::Error(ERRCODE_INSUFFICIENT_PRIVILEGE,
                    "credentials of the server are not allowed for destinations", "",
                    "Give access_key and secret_key, or have the server's administrator set "
                    "hydra_export.server_credentials.");
  }
  if (destination.endpoint.empty()) return;
  if (const auto problem = s3::endpoint_problem(destination.endpoint, pg::guc::allow_http)) {
    throw pg::Error(
        ERRCODE_INVALID_PARAMETER_VALUE, "endpoint " + *problem, "",
        "Give a URL such as https://s3.example.com, or '' for AWS; http:// to hosts other "
        "than loopback needs hydra_export.allow_http.");
  }
}

}  // namespace hydra::catalog
