// Keys in a file in AWS's format that the server's administrator provides for a destination. Unlike
// a profile, it contains only keys: no role, program or reference to another profile.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "s3/credentials/source.hpp"

namespace hydra::s3::credentials {

constexpr std::string_view key_file_prefix = "file:";

// Reads aws_access_key_id, aws_secret_access_key and aws_session_token of the section [default],
// again at each begin(). As PostgreSQL requires of key files, the file must belong to the user of
// this process (and others may not read it) or to root (and its group may read it).
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

// Whether the path matches the list: patterns, separated by commas, in which * matches any
// characters except '/', and %d stands for the name of the database.
bool is_allowed_file(std::string_view patterns, std::string_view path, std::string_view database);

}  // namespace hydra::s3::credentials
