// Where a bucket is reached.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hydra::s3 {

// How the bucket appears in URLs: first segment of the path, or first label of the host.
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
// address is always path style. Throws std::runtime_error when the endpoint is no URL.
Endpoint resolve(const EndpointSettings& settings);

// Where a store's answer sends an upload of `key`: `location` is a URL that ends in the key, or the
// host alone. Nothing where that is no other endpoint of the same bucket, or where it would leave
// https, or this machine, for plain http.
std::optional<Endpoint> redirect(const Endpoint& from, std::string_view bucket,
                                 std::string_view location, std::string_view key);

// The parts of an endpoint's URL.
struct EndpointUrl {
  std::string scheme;  // "https" or "http"
  std::string host;    // lower case; IPv6 in brackets
  int port = 0;        // the scheme's default where none was given
  std::string path;    // "" or "/a/b", percent-encoded, without a '/' at its end
};

// Where the service is reached, without the bucket. Throws std::runtime_error when the endpoint is
// no URL.
EndpointUrl service_url(const EndpointSettings& settings);

// The partition of AWS that the settings lead to (see aws.hpp); '' for other stores. Throws as
// service_url() does.
std::string partition_of(const EndpointSettings& settings);

// Nothing where endpoint_problem() would complain (plain http aside).
std::optional<EndpointUrl> parse_endpoint(std::string_view url);

// Nothing when all is well, else words that complete "endpoint …", which never repeat the value. An
// endpoint is an http:// or https:// URL with a host and perhaps a port and a path, and nothing
// else. Plain http is for loopback addresses, unless allowed elsewhere too.
std::optional<std::string> endpoint_problem(std::string_view url, bool allow_http);

}  // namespace hydra::s3
