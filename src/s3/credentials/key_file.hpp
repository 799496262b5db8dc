// Keys in a file of AWS's format that the server's administrator put there for a destination.
// Unlike a profile, it holds keys alone: no role, no program, no other profile.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "s3/credentials/source.hpp"

namespace hydra::s3::credentials {

constexpr std::string_view key_file_prefix = "file:";

// Reads aws_access_key_id, aws_secret_access_key and aws_session_token of the section [default],
// anew by each begin(). As PostgreSQL asks of key files, it belongs to the user of this process
// (and nobody else may read it) or to root (and its group may read it).
class KeyFile : public Source {
 public:
  explicit KeyFile(std::string path) : path_(std::move(path)) {}
  Step begin(std::int64_t now) override;
  Step answered(const HttpReply&) override { return Absent{}; }

 private:
  Step broken(const std::string& why, const std::string& hint) const;

  std::string path_;
};

// Nothing, or words that complete "a file whose path …".
std::optional<std::string> key_file_path_problem(std::string_view path);

// Whether the path is one of those in the list: patterns, separated by commas, in which * stands
// for any characters but '/', and %d for the name of the database.
bool is_allowed_file(std::string_view patterns, std::string_view path, std::string_view database);

}  // namespace hydra::s3::credentials
