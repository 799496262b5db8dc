#include "s3/places.hpp"

#include <algorithm>
#include <utility>

#include "base/ascii.hpp"
#include "base/percent.hpp"
#include "base/split.hpp"
#include "s3/address.hpp"
#include "s3/aws.hpp"

namespace hydra::s3 {

namespace {

bool has_wildcard(std::string_view text) {
  return text.find('*') != std::string_view::npos;
}

// Whether the pattern matches the text, with `*` for any characters. Neither contains a '/'.
bool fits(std::string_view pattern, std::string_view text) {
  std::size_t at = 0, star = std::string_view::npos, resume = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      resume = i;
    } else if (at < pattern.size() && pattern[at] == text[i]) {
      ++at;
      ++i;
    } else if (star != std::string_view::npos) {
      at = star + 1;
      i = ++resume;
    } else {
      return false;
    }
  }
  return pattern.substr(at).find_first_not_of('*') == std::string_view::npos;
}

// A place or its problem.
struct Parsed {
  std::optional<Place> place;
  std::string problem;
};

Parsed wrong(std::string problem) {
  return {std::nullopt, std::move(problem)};
}

bool is_bucket_pattern(std::string_view bucket) {
  return std::all_of(bucket.begin(), bucket.end(), [](char c) {
    return is_lower(c) || is_digit(c) || c == '-' || c == '.' || c == '*';
  });
}

bool ends_in_wildcard(std::string_view host) {
  const std::size_t dot = host.rfind('.');
  return host != "*" && has_wildcard(host.substr(dot == std::string_view::npos ? 0 : dot));
}

// The URL's host and port.
std::string_view authority_of(std::string_view url) {
  url.remove_prefix(std::min(url.find("://") + 3, url.size()));
  return url.substr(0, url.find('/'));
}

// Wildcards of the authority are replaced to check the form of the URL.
Parsed parse_url(std::string_view url) {
  const std::string_view authority = authority_of(url);
  const std::size_t start = static_cast<std::size_t>(authority.data() - url.data());
  std::string filled(url);
  std::replace(filled.begin() + start, filled.begin() + start + authority.size(), '*', 'w');
  const bool any_port = authority.ends_with(":*");
  if (any_port) filled.erase(start + authority.size() - 2, 2);
  // Whether http:// is allowed is not checked here, but for each endpoint.
  if (const auto problem = endpoint_problem(filled, true))
    return wrong("an endpoint that " + *problem);
  const EndpointUrl parts = *parse_endpoint(filled);

  Place place;
  place.scheme = parts.scheme;
  place.host = parts.host;
  for (std::size_t i = 0; i < place.host.size(); ++i) {
    if (authority[i] == '*') place.host[i] = '*';
  }
  place.host = canonical_host(place.host);
  if (!any_port) place.port = parts.port;
  place.path = parts.path;
  if (has_wildcard(url.substr(start + authority.size())))
    return wrong("a wildcard in its endpoint's path");
  if (ends_in_wildcard(place.host)) return wrong("a wildcard in the last part of its host");
  return {place, ""};
}

Parsed parse_place(std::string_view text) {
  const std::size_t slash = text.rfind('/');
  const std::string_view bucket = slash == std::string_view::npos ? "" : text.substr(slash + 1);
  const std::string_view endpoint = text.substr(0, slash);
  if (bucket.empty() || endpoint.ends_with('/')) return wrong("no bucket");
  if (!is_bucket_pattern(bucket))
    return wrong("a bucket with characters that no bucket's name has");
  Parsed parsed;
  if (endpoint.find("://") != std::string_view::npos) {
    parsed = parse_url(endpoint);
  } else if (const Partition* partition = find_partition(endpoint)) {
    parsed.place = Place{};
    parsed.place->partition = partition->name;
  } else {
    return wrong("an endpoint that is neither a URL nor a partition of AWS");
  }
  if (parsed.place) parsed.place->bucket = bucket;
  return parsed;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view blanks = " \t\r\n";
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

bool matches(const Place& place, const EndpointUrl& url, std::string_view partition,
             std::string_view bucket) {
  if (!fits(place.bucket, bucket)) return false;
  if (!place.partition.empty()) return place.partition == partition;
  return place.scheme == url.scheme && fits(place.host, canonical_host(url.host)) &&
         (!place.port || *place.port == url.port) && place.path == url.path;
}

// The partition whose S3 the endpoint stands for: one of its own hosts, with only the bucket in the
// path.
std::string_view partition_as_such(const EndpointUrl& url) {
  if (url.scheme != "https" || url.port != 443 || !url.path.empty()) return "";
  const Partition* partition = partition_of_service(url.host);
  return partition == nullptr ? "" : partition->name;
}

}  // namespace

bool Place::names_host() const {
  return partition.empty() && !has_wildcard(host);
}

Places::Places(std::string_view list) : any_(trimmed(list).empty()) {
  for (std::string_view item : split(list, ',')) {
    Parsed parsed = parse_place(trimmed(item));
    if (parsed.place) places_.push_back(std::move(*parsed.place));
  }
}

Permit Places::permit(const EndpointUrl& url, std::string_view partition,
                      std::string_view bucket) const {
  const bool special = is_special_host(url.host);
  Permit found = any_ && !special ? Permit::ordinary : Permit::none;
  for (const Place& place : places_) {
    if (!matches(place, url, partition, bucket)) continue;
    if (place.names_host()) return Permit::any_address;
    if (!special) found = Permit::ordinary;
  }
  return found;
}

Permit Places::permit(const EndpointSettings& target) const {
  const EndpointUrl url = service_url(target);
  const bool is_aws = target.endpoint.empty();
  return permit(url, is_aws ? partition_of(target) : partition_as_such(url), target.bucket);
}

// The bucket is at the end of the path or at the start of the host. If it is in both, either
// interpretation is safe, because the same host gets the data.
Permit Places::permit(const Endpoint& endpoint, std::string_view bucket) const {
  const std::optional<EndpointUrl> whole = parse_endpoint(endpoint.url());
  Permit found = Permit::none;
  if (!whole) return found;
  const std::string in_path = '/' + percent_encode(bucket);
  const std::string in_host = std::string(bucket) + '.';
  if (whole->path.ends_with(in_path)) {
    EndpointUrl url = *whole;
    url.path.resize(url.path.size() - in_path.size());
    found = permit(url, partition_as_such(url), bucket);
  }
  if (whole->host.starts_with(in_host)) {
    EndpointUrl url = *whole;
    url.host.erase(0, in_host.size());
    found = std::max(found, permit(url, partition_as_such(url), bucket));
  }
  return found;
}

std::optional<std::string> places_problem(std::string_view list) {
  if (trimmed(list).empty()) return std::nullopt;
  for (std::string_view item : split(list, ',')) {
    const std::string place(trimmed(item));
    if (place.empty())
      return "There is an empty item between two commas or at the end of the list.";
    const Parsed parsed = parse_place(place);
    if (!parsed.place) return "Place \"" + place + "\" has " + parsed.problem + '.';
  }
  return std::nullopt;
}

}  // namespace hydra::s3
