#include "s3/object_headers.hpp"

#include <algorithm>
#include <string>

#include "base/ascii.hpp"
#include "s3/header_value.hpp"

namespace hydra::s3 {

namespace {

constexpr std::size_t longest_value = 2048;
// S3: total size of all names and values of x-amz-meta-*
constexpr std::size_t most_metadata = 2048;
constexpr std::size_t most_headers = 50;

constexpr std::string_view metadata = "x-amz-meta-";
constexpr std::string_view encryption = "x-amz-server-side-encryption";
constexpr std::string_view kms_key = "x-amz-server-side-encryption-aws-kms-key-id";
constexpr std::string_view tagging = "x-amz-tagging";
constexpr std::string_view acl = "x-amz-acl";
constexpr std::string_view grant = "x-amz-grant-";
constexpr std::string_view bucket_owner = "x-amz-expected-bucket-owner";

constexpr std::string_view allowed[] = {
    "cache-control",
    "content-disposition",
    "content-language",
    "expires",
    "x-amz-storage-class",
    bucket_owner,
    "x-amz-request-payer",
    encryption,
    kms_key,
    "x-amz-server-side-encryption-context",
    "x-amz-server-side-encryption-bucket-key-enabled",
    tagging,
    acl,
};

bool is_token_character(char c) {
  return is_lower(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
}

bool is_allowed(std::string_view name) {
  if (name.starts_with(metadata)) return name.size() > metadata.size();
  if (name.starts_with(grant)) return true;
  return std::find(std::begin(allowed), std::end(allowed), name) != std::end(allowed);
}

std::optional<std::string> value_problem(std::string_view value) {
  if (value.empty()) return "must not be empty";
  if (value.size() > longest_value) return "must be at most 2048 bytes long";
  if (!is_header_value(value)) return "must consist of printable ASCII characters";
  if (value.front() == ' ' || value.back() == ' ') return "must not begin or end with a space";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> object_header_problem(std::string_view name, std::string_view value) {
  if (name.empty() || !std::all_of(name.begin(), name.end(), is_token_character))
    return "must consist of lower-case letters, digits and hyphens";
  if (name.starts_with("x-amz-server-side-encryption-customer"))
    return "asks for SSE-C, which is not supported: every reader would need the key";
  if (!is_allowed(name)) return "is not one that may be set";
  return value_problem(value);
}

std::optional<std::string> object_headers_problem(const Headers& headers) {
  if (headers.size() > most_headers) return "must be at most 50";
  std::size_t size = 0;
  for (const auto& [name, value] : headers) {
    if (name.starts_with(metadata)) size += name.size() - metadata.size() + value.size();
  }
  if (size > most_metadata) return "must hold at most 2048 bytes of x-amz-meta-*";
  return std::nullopt;
}

HeaderRights rights_for(const Headers& headers) {
  HeaderRights rights;
  const auto add = [&](const char* action) {
    if (std::find(rights.on_object.begin(), rights.on_object.end(), action) ==
        rights.on_object.end())
      rights.on_object.emplace_back(action);
  };
  for (const auto& [name, value] : headers) {
    if (name == tagging) add("s3:PutObjectTagging");
    if (name == acl || name.starts_with(grant)) add("s3:PutObjectAcl");
    if (name == kms_key) rights.kms_key = value;
  }
  return rights;
}

bool asks_for_a_key(const Headers& headers) {
  return std::any_of(headers.begin(), headers.end(), [](const auto& header) {
    return header.first == kms_key || (header.first == encryption && header.second != "AES256");
  });
}

bool gives_access(const Headers& before, const Headers& after) {
  const auto is_in = [](const Headers& headers, const Headers::value_type& header) {
    return std::find(headers.begin(), headers.end(), header) != headers.end();
  };
  const bool gives = std::any_of(after.begin(), after.end(), [&](const auto& header) {
    const auto& [name, value] = header;
    const bool readers = (name == acl && value != "private") || name.starts_with(grant);
    return (readers || name == tagging) && !is_in(before, header);
  });
  return gives || std::any_of(before.begin(), before.end(), [&](const auto& header) {
           return header.first == bucket_owner && !is_in(after, header);
         });
}

}  // namespace hydra::s3
