#include "tables/secrets.hpp"

#include "base/sha256.hpp"
#include "pg/user_mapping.hpp"

namespace hydra::tables {
namespace {

// The prefix of a destination's option names. The destination's own name could be too long for an
// option name, and may contain any characters; for people, it is the value of one of the options.
std::string prefix_of(const std::string& destination) {
  return hex(sha256(destination)).substr(0, 32) + '.';
}

// The options of the others, in order.
pg::Options without(const pg::Options& options, const std::string& prefix) {
  pg::Options others;
  for (const auto& option : options) {
    if (!option.first.starts_with(prefix)) others.push_back(option);
  }
  return others;
}

}  // namespace

std::optional<s3::Credentials> load_credentials(const std::string& destination) {
  const std::string prefix = prefix_of(destination);
  s3::Credentials found;
  for (const auto& [name, value] : pg::user_mapping()) {
    if (name == prefix + "access_key") found.access_key = value;
    if (name == prefix + "secret_key") found.secret_key = value;
    if (name == prefix + "session_token") found.session_token = value;
  }
  if (found.access_key.empty()) return std::nullopt;
  return found;
}

void save_credentials(const std::string& destination, const s3::Credentials& credentials) {
  const std::string prefix = prefix_of(destination);
  pg::Options options = without(pg::user_mapping(), prefix);
  options.emplace_back(prefix + "destination", destination);
  options.emplace_back(prefix + "access_key", credentials.access_key);
  options.emplace_back(prefix + "secret_key", credentials.secret_key);
  if (!credentials.session_token.empty())
    options.emplace_back(prefix + "session_token", credentials.session_token);
  pg::set_user_mapping(options);
}

void forget_credentials(const std::string& destination) {
  const pg::Options before = pg::user_mapping();
  const pg::Options after = without(before, prefix_of(destination));
  if (after.size() != before.size()) pg::set_user_mapping(after);
}

}  // namespace hydra::tables
