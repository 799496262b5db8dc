#include "s3/bucket_rules.hpp"

#include <algorithm>

#include "base/ascii.hpp"
#include "base/percent.hpp"
#include "base/utf8.hpp"
#include "s3/address.hpp"
#include "s3/aws.hpp"

namespace hydra::s3 {

namespace {

constexpr std::size_t longest_region = 64;
constexpr std::size_t longest_prefix = 512;
constexpr std::string_view access_point_end = "-s3alias";

bool is_lower_or_digit(char c) {
  return is_lower(c) || is_digit(c);
}

bool is_region_character(char c) {
  return is_lower_or_digit(c) || is_upper(c) || c == '-' || c == '_';
}

// Prefixes and suffixes that are reserved for directory and table buckets, internationalized names,
// AWS itself, and access points that do not support plain PutObject. (The alias of an access point
// can be used as a bucket name.)
std::optional<std::string> reserved_part(std::string_view name) {
  for (std::string_view prefix : {"xn--", "sthree-", "amzn-s3-demo-"}) {
    if (name.starts_with(prefix)) return "must not begin with \"" + std::string(prefix) + '"';
  }
  for (std::string_view suffix : {"--ol-s3", ".mrap", "--x-s3", "--table-s3"}) {
    if (name.ends_with(suffix)) return "must not end with \"" + std::string(suffix) + '"';
  }
  return std::nullopt;
}

bool has_control_character(std::string_view text) {
  for (; !text.empty(); text.remove_prefix(utf8_length(text))) {
    if (begins_with_control(text)) return true;
  }
  return false;
}

// The '/' at a prefix's end is the separator before the rest of a key, not an empty segment.
bool has_bad_segment(std::string_view prefix) {
  if (prefix.ends_with('/')) prefix.remove_suffix(1);
  while (true) {
    const std::size_t slash = prefix.find('/');
    const std::string_view segment = prefix.substr(0, slash);
    if (segment.empty() || segment == "." || segment == "..") return true;
    if (slash == std::string_view::npos) return false;
    prefix.remove_prefix(slash + 1);
  }
}

}  // namespace

std::optional<std::string> bucket_name_problem(std::string_view name) {
  if (name.starts_with("arn:")) return "must not be an ARN";
  if (name.size() < 3 || name.size() > 63) return "must be 3 to 63 characters long";
  const auto fits = [](char c) { return is_lower_or_digit(c) || c == '.' || c == '-'; };
  if (!std::all_of(name.begin(), name.end(), fits))
    return "must consist of lower-case letters, digits, dots and hyphens";
  if (!is_lower_or_digit(name.front()) || !is_lower_or_digit(name.back()))
    return "must begin and end with a letter or digit";
  if (name.find("..") != std::string_view::npos) return "must not contain two dots in a row";
  if (is_ipv4(name)) return "must not be an IP address";
  return reserved_part(name);
}

std::string bucket_name_hint(std::string_view name) {
  if (name.starts_with("arn:") && name.find(":accesspoint") != std::string_view::npos)
    return "Give the access point's alias, which ends in -s3alias.";
  if (name.ends_with(".mrap"))
    return "Give the bucket's name, or the alias of an access point in one region.";
  return "Give the bucket's name alone, without s3:// or ARN.";
}

bool is_access_point(std::string_view bucket) {
  return bucket.ends_with(access_point_end);
}

std::string access_point_name(std::string_view alias) {
  if (is_access_point(alias)) alias.remove_suffix(access_point_end.size());
  return std::string(alias.substr(0, alias.rfind('-')));
}

std::optional<std::string> region_problem(const EndpointSettings& settings) {
  if (auto problem = region_problem(settings.region)) return problem;
  if (partition_of(settings).empty() || is_region_name(settings.region)) return std::nullopt;
  return "is not the name of a region of AWS";
}

std::optional<BucketInEndpoint> bucket_in_endpoint(const EndpointSettings& settings) {
  const std::optional<EndpointUrl> url = parse_endpoint(settings.endpoint);
  if (!url) return std::nullopt;
  const std::string_view path = url->path;
  if (percent_decode(path.substr(path.rfind('/') + 1)) == settings.bucket)
    return BucketInEndpoint{"ends with the name of the bucket", false};
  // For AWS's own hosts it is known where they contain a bucket name, whichever bucket it is.
  if (partition_of_host(url->host) != nullptr && partition_of_service(url->host) == nullptr)
    return BucketInEndpoint{"begins with the name of a bucket", false};
  const bool in_front = url->host.starts_with(settings.bucket + '.') && !is_ipv4(url->host);
  if (!in_front || settings.addressing == Addressing::path) return std::nullopt;
  return BucketInEndpoint{"begins with the name of the bucket", true};
}

std::optional<std::string> region_problem(std::string_view region) {
  if (region.empty() || region.size() > longest_region) return "must be 1 to 64 characters long";
  if (!std::all_of(region.begin(), region.end(), is_region_character))
    return "must consist of letters, digits, hyphens and underscores";
  if (region.front() == '-' || region.back() == '-') return "must not begin or end with a hyphen";
  return std::nullopt;
}

std::optional<std::string> prefix_problem(std::string_view prefix) {
  if (prefix.empty()) return std::nullopt;
  if (prefix.size() > longest_prefix) return "must be at most 512 bytes long";
  if (!is_utf8(prefix)) return "must be valid UTF-8";
  if (has_control_character(prefix)) return "must not contain control characters";
  if (prefix.front() == '/') return "must not begin with a slash";
  if (has_bad_segment(prefix)) return "must not contain an empty, \".\" or \"..\" segment";
  return std::nullopt;
}

}  // namespace hydra::s3
