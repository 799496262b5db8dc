#include "s3/endpoint.hpp"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include "base/ascii.hpp"
#include "base/percent.hpp"
#include "base/split.hpp"
#include "s3/address.hpp"
#include "s3/aws.hpp"

namespace hydra::s3 {

namespace {

constexpr std::string_view not_a_url = "is not a URL that starts with https:// or http://";

// Digits only, 0 to `most`; -1 otherwise.
int number(std::string_view digits, int most) {
  int value = -1;
  const char* stop = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), stop, value);
  const bool whole = error == std::errc() && end == stop && is_digit(digits.front());
  return whole && value <= most ? value : -1;
}

bool is_ip_address(std::string_view host) {
  return is_ipv6(host) || is_ipv4(host);
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
         std::all_of(label.begin(), label.end(),
                     [](char c) { return is_lower(c) || is_digit(c) || c == '-' || c == '_'; });
}

// A DNS name or an IPv4 address in four parts. Other spellings of addresses (127.1, 0x7f000001) are
// refused, so that an address never looks like a name.
bool is_host_name(const std::string& host) {
  const auto labels = split(host, '.');
  const std::string_view last = labels.back();
  const bool numeric =
      last.starts_with("0x") || last.find_first_not_of("0123456789") == std::string_view::npos;
  return host.size() <= 253 && std::all_of(labels.begin(), labels.end(), is_label) &&
         (!numeric || is_ipv4(host));
}

// "" or "/a/b" with each segment encoded as in requests; nothing if a segment is empty or dots.
std::optional<std::string> normal_path(std::string_view path) {
  while (path.ends_with('/'))
    path.remove_suffix(1);
  if (path.empty()) return "";
  std::string normal;
  for (std::string_view segment : split(path.substr(1), '/')) {
    const std::string decoded = percent_decode(segment);
    if (decoded.empty() || decoded == "." || decoded == "..") return std::nullopt;
    normal += '/' + percent_encode(decoded);
  }
  return normal;
}

// A URL or its problem.
struct Parsed {
  std::optional<EndpointUrl> url;
  std::string problem;
};

Parsed wrong(std::string_view problem) {
  return {std::nullopt, std::string(problem)};
}

Parsed parse_authority(EndpointUrl url, std::string_view authority) {
  if (authority.find('@') != std::string_view::npos)
    return wrong("must not contain a user name or password");
  const std::size_t bracket = authority.rfind(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  url.host = to_lower(authority.substr(0, colon));
  if (url.host.empty()) return wrong("has no host");
  if (!is_ipv6(url.host) && !is_host_name(url.host))
    return wrong("has a host that is neither a DNS name nor an IP address");
  url.port = url.scheme == "https" ? 443 : 80;
  if (colon != std::string_view::npos) {
    const std::string_view digits = authority.substr(colon + 1);
    url.port = digits.empty() || digits.size() > 5 ? -1 : number(digits, 65535);
  }
  if (url.port < 1) return wrong("has a port that is not between 1 and 65535");
  return {url, ""};
}

Parsed parse(std::string_view text) {
  EndpointUrl url;
  const std::string start = to_lower(text.substr(0, 8));
  if (start == "https://")
    url.scheme = "https";
  else if (start.starts_with("http://"))
    url.scheme = "http";
  else
    return wrong(not_a_url);

  const auto fits = [](char c) {
    return c > 0x20 && c < 0x7f &&
           std::string_view("\"<>\\^`{|}").find(c) == std::string_view::npos;
  };
  if (!std::all_of(text.begin(), text.end(), fits))
    return wrong("contains a character that a URL cannot contain");
  if (text.find('?') != std::string_view::npos) return wrong("must not contain a query");
  if (text.find('#') != std::string_view::npos) return wrong("must not contain a fragment");

  const std::string_view rest = text.substr(url.scheme.size() + 3);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  const auto path = normal_path(rest.substr(slash));
  if (!path) return wrong("has a path with an empty, \".\" or \"..\" segment");
  url.path = *path;
  return parse_authority(url, rest.substr(0, slash));
}

// '' for the scheme's own port.
std::string port_suffix(const EndpointUrl& url) {
  return url.port == (url.scheme == "https" ? 443 : 80) ? "" : ':' + std::to_string(url.port);
}

// Whether a store may redirect from one endpoint to a plain http:// one.
bool may_be_plain(const Endpoint& from, const EndpointUrl& to) {
  return from.scheme == "http" && (!from.is_loopback() || is_loopback_host(to.host));
}

std::string_view without_port(std::string_view host) {
  const std::size_t bracket = host.rfind(']');
  return host.substr(0, host.find(':', bracket == std::string_view::npos ? 0 : bracket));
}

bool wants_path_style(const EndpointSettings& settings, const EndpointUrl& url) {
  if (is_ip_address(url.host) || settings.addressing == Addressing::path) return true;
  if (settings.addressing == Addressing::virtual_hosted) return false;
  return !settings.endpoint.empty() || settings.bucket.find('.') != std::string::npos;
}

}  // namespace

std::string Endpoint::url() const {
  return scheme + "://" + host + base_path;
}

bool Endpoint::is_aws() const {
  return partition_of_host(without_port(host)) != nullptr;
}

bool Endpoint::is_loopback() const {
  return is_loopback_host(without_port(host));
}

EndpointUrl service_url(const EndpointSettings& settings) {
  if (settings.endpoint.empty()) {
    const std::string_view domain = partition_of_region(settings.region).domain;
    return {"https", "s3." + settings.region + '.' + std::string(domain), 443, ""};
  }
  const Parsed parsed = parse(settings.endpoint);
  if (!parsed.url) throw std::runtime_error("endpoint " + parsed.problem);
  return *parsed.url;
}

std::string partition_of(const EndpointSettings& settings) {
  const Partition* partition = settings.endpoint.empty()
                                   ? &partition_of_region(settings.region)
                                   : partition_of_host(service_url(settings).host);
  return partition == nullptr ? "" : std::string(partition->name);
}

Endpoint resolve(const EndpointSettings& settings) {
  const EndpointUrl url = service_url(settings);
  Endpoint endpoint{url.scheme, url.host, url.path};
  if (wants_path_style(settings, url))
    endpoint.base_path += '/' + percent_encode(settings.bucket);
  else
    endpoint.host = settings.bucket + '.' + url.host;
  endpoint.host += port_suffix(url);
  return endpoint;
}

std::optional<Endpoint> redirect(const Endpoint& from, std::string_view bucket,
                                 std::string_view location, std::string_view key) {
  const bool host_alone = location.find('/') == std::string_view::npos;
  const std::string text = host_alone ? from.scheme + "://" + std::string(location) : "";
  const auto url = parse(host_alone ? text : location).url;
  if (!url || (url->scheme == "http" && !may_be_plain(from, *url))) return std::nullopt;

  const bool named = url->host.starts_with(std::string(bucket) + '.');
  const std::string in_path = '/' + std::string(bucket);
  std::string base = percent_decode(url->path);
  if (host_alone) {
    base = named ? "" : in_path;
  } else {
    const std::string end = '/' + std::string(key);
    if (!base.ends_with(end)) return std::nullopt;
    base.resize(base.size() - end.size());
  }
  if (!named && !base.ends_with(in_path)) return std::nullopt;
  const Endpoint to{url->scheme, url->host + port_suffix(*url), encode_path(base)};
  if (to.url() == from.url()) return std::nullopt;
  return to;
}

std::optional<EndpointUrl> parse_endpoint(std::string_view url) {
  return parse(url).url;
}

std::optional<std::string> endpoint_problem(std::string_view url, bool allow_http) {
  const Parsed parsed = parse(url);
  if (!parsed.url) return parsed.problem;
  const bool plain = parsed.url->scheme == "http";
  if (plain && !allow_http && !is_loopback_host(parsed.url->host))
    return "must begin with https://, as its host is not a loopback address";
  return std::nullopt;
}

}  // namespace hydra::s3
