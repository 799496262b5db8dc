// Where a bucket is reached, and whether the settings that say so make sense.
//
// The *_problem functions return nothing when all is well, else words that complete "bucket
// name …": "must be 3 to 63 characters long". They never repeat the value.
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

// An http:// or https:// URL with a host and perhaps a port and a path, and nothing else. Plain
// http is for loopback addresses, unless allowed elsewhere too.
std::optional<std::string> endpoint_problem(std::string_view url, bool allow_http);

// AWS's rules for names of general purpose buckets (User Guide, "Bucket naming rules").
std::optional<std::string> bucket_name_problem(std::string_view name);

// What to give instead, as a sentence.
std::string bucket_name_hint(std::string_view name);

// Whether the bucket is named by the alias of an access point: the first 20 characters of the
// access point's name, a part of AWS's own, and "-s3alias".
bool is_access_point(std::string_view bucket);
std::string access_point_name(std::string_view alias);  // as much of it as the alias holds

std::optional<std::string> region_problem(std::string_view region);

// The same, and that a region of AWS has the form of one.
std::optional<std::string> region_problem(const EndpointSettings& settings);

// An endpoint that holds the bucket's name already: objects would be stored below
// <bucket>/<bucket>/, or nowhere. A store's own host may be named like the bucket; whoever says
// that the bucket goes into the path says that this one is.
struct BucketInEndpoint {
  std::string problem;  // completes "endpoint …"
  bool may_be = false;  // it is no problem with Addressing::path
};
std::optional<BucketInEndpoint> bucket_in_endpoint(const EndpointSettings& settings);

// '' is fine. A '/' at the end is, too.
std::optional<std::string> prefix_problem(std::string_view prefix);

}  // namespace hydra::s3
