#include "s3/answer_header.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>

#include "base/ascii.hpp"

namespace hydra::s3 {

namespace {

constexpr std::int64_t longest_wait = 24 * 60 * 60;
constexpr std::int64_t end_of_year_9999 = 253402300799;

// Whether the line begins with the prefix, which is given in lower case.
bool has_prefix(std::string_view line, std::string_view prefix) {
  const auto same = [](char expected, char c) { return expected == to_lower(c); };
  return line.size() >= prefix.size() &&
         std::equal(prefix.begin(), prefix.end(), line.begin(), same);
}

// The value of this header, if the line contains it.
std::optional<std::string_view> header_value(std::string_view line, std::string_view name) {
  if (line.size() <= name.size() || line[name.size()] != ':' || !has_prefix(line, name))
    return std::nullopt;
  constexpr std::string_view spaces = " \t\r\n";
  std::string_view value = line.substr(name.size() + 1);
  value.remove_prefix(std::min(value.find_first_not_of(spaces), value.size()));
  return value.substr(0, value.find_last_not_of(spaces) + 1);
}

// Whether the header shows encryption with a KMS or client key: then the object's ETag is not an
// MD5 (S3 API Reference, "Object"; also IBM's Key Protect, Google's CMEK and Alibaba's OSS). With
// keys managed by S3 it is one.
bool tells_of_a_key(std::string_view line) {
  if (const auto value = header_value(line, "x-amz-server-side-encryption"))
    return *value != "AES256";
  for (std::string_view prefix :
       {"x-amz-server-side-encryption-customer-", "x-amz-server-side-encryption-aws-kms-",
        "x-goog-encryption-", "ibm-sse-kp-"})
    if (has_prefix(line, prefix)) return true;
  const auto oss = header_value(line, "x-oss-server-side-encryption");
  return oss && *oss != "AES256";
}

std::string without_quotes(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
    etag = etag.substr(1, etag.size() - 2);
  return clean_text(etag);
}

std::optional<std::int64_t> unix_seconds(std::string_view date) {
  const std::time_t seconds = curl_getdate(std::string(date).c_str(), nullptr);
  if (seconds <= 0 || seconds > end_of_year_9999) return std::nullopt;
  return seconds;
}

// Seconds, or a date (RFC 9110, 10.2.3).
std::optional<std::chrono::seconds> wait(std::string_view value, std::int64_t now) {
  std::int64_t seconds = 0;
  const char* stop = value.data() + value.size();
  const auto [end, error] = std::from_chars(value.data(), stop, seconds);
  if (end != stop || error == std::errc::invalid_argument)
    seconds = unix_seconds(value).value_or(now) - now;
  else if (error == std::errc::result_out_of_range)
    seconds = longest_wait;
  if (seconds <= 0) return std::nullopt;
  return std::chrono::seconds(std::min(seconds, longest_wait));
}

}  // namespace

void read_header(std::string_view line, std::int64_t now, Answer& answer) {
  if (line.starts_with("HTTP/")) answer = {};
  if (const auto value = header_value(line, "etag")) answer.etag = without_quotes(*value);
  if (const auto value = header_value(line, "x-amz-checksum-sha256"))
    answer.checksum = clean_text(*value);
  if (tells_of_a_key(line)) answer.etag_is_opaque = true;
  if (const auto value = header_value(line, "x-amz-request-id")) answer.request_id = *value;
  if (const auto value = header_value(line, "x-amz-bucket-region")) answer.region = *value;
  if (const auto value = header_value(line, "location")) answer.location = *value;
  if (const auto value = header_value(line, "date")) answer.date = unix_seconds(*value);
  if (const auto value = header_value(line, "retry-after")) answer.retry_after = wait(*value, now);
}

}  // namespace hydra::s3
