// The endpoint at which a bucket is reached.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hydra::s3 {

// How URLs contain the bucket: as the first segment of the path, or as the first label of the host.
enum class Addressing { automatic, path, virtual_hosted };

struct EndpointSettings {
  std::string bucket;
  std::string region;
  std::string endpoint;  // URL; '' = AWS, https://s3.<region>.amazonaws.com
  Addressing addressing = Addressing::automatic;
};

struct Endpoint {
  std::string scheme;     // "https" or "http"
  std::string host;       // as in the Host header: port unless default, IPv6 in brackets
  std::string base_path;  // "", "/bucket" or "/prefix/bucket", percent-encoded

  // An object's URL is url() + "/" + encode_path(key).
  std::string url() const;
  bool is_aws() const;       // S3's own hosts, see aws.hpp
  bool is_loopback() const;  // see address.hpp; nothing is looked up
};

// Automatic addressing is path style for custom endpoints, and virtual-hosted for AWS unless the
// bucket's name has a dot (the certificate *.s3… covers one label). An endpoint that is an IP
// address is always path style. Throws std::runtime_error if the endpoint is not a valid URL.
Endpoint resolve(const EndpointSettings& settings);

// The endpoint to which a store's response redirects an upload of `key`: `location` is a URL that
// ends in the key, or only a host. Nothing if it is not another endpoint of the same bucket, or
// would change from https, or from this machine, to plain http on another host.
std::optional<Endpoint> redirect(const Endpoint& from, std::string_view bucket,
                                 std::string_view location, std::string_view key);

// The parts of an endpoint's URL.
struct EndpointUrl {
  std::string scheme;  // "https" or "http"
  std::string host;    // lower case; IPv6 in brackets
  int port = 0;        // the scheme's default if none was given
  std::string path;    // "" or "/a/b", percent-encoded, without a '/' at its end
};

// The service's URL, without the bucket. Throws std::runtime_error if the endpoint is not a valid
// URL.
EndpointUrl service_url(const EndpointSettings& settings);

// The partition of AWS that the settings refer to (see aws.hpp); '' for other stores. Throws as
// service_url() does.
std::string partition_of(const EndpointSettings& settings);

// Nothing if endpoint_problem() reports a problem (other than plain http).
std::optional<EndpointUrl> parse_endpoint(std::string_view url);

// Nothing if the URL is valid, else words that complete "endpoint …", which never repeat the value.
// An endpoint is an http:// or https:// URL with a host and optionally a port and a path, and
// nothing else. Plain http is valid for loopback addresses, and for other hosts if allowed.
std::optional<std::string> endpoint_problem(std::string_view url, bool allow_http);

}  // namespace hydra::s3
