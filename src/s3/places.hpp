// The places to which data may go: the patterns of hydra_export.allowed_places.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "s3/endpoint.hpp"

namespace hydra::s3 {

// Whether a list of places allows a bucket at an endpoint.
enum class Permit {
  none,         // not allowed
  ordinary,     // allowed over connections to addresses that are not special (see address.hpp)
  any_address,  // allowed; the list names the host itself
};

// One item of the list, "<endpoint>/<bucket>": `aws/exports-*`, `https://minio.example.com/*`,
// `http://127.0.0.1:*/exports`. `*` matches any characters except '/'.
//
// An endpoint is the name of one of AWS's partitions (S3's own hosts over https, in any region), or
// a URL. The parts of a URL are compared one by one, in the form that they have in a destination's
// endpoint (host in lower case, the scheme's port if none is given), so that a wildcard in the host
// never matches a port. It does match dots, and is therefore not allowed in a host's last part,
// because `store.example*` would match `store.example.of.somebody.else` as well; `*` alone matches
// any host.
struct Place {
  std::string partition;  // '' = the parts of a URL are used
  std::string scheme, host, path;
  std::optional<int> port;  // nothing = any
  std::string bucket;

  bool names_host() const;  // without a wildcard
};

// A list of places. An empty list allows every place whose host is not special. A special host is
// allowed only if a place names it.
class Places {
 public:
  Places() = default;
  // Invalid items (see places_problem()) match nothing.
  explicit Places(std::string_view list);

  // Throws std::runtime_error if the endpoint is not a valid URL.
  Permit permit(const EndpointSettings& target) const;

  // The same for an endpoint from a store's response.
  Permit permit(const Endpoint& endpoint, std::string_view bucket) const;

 private:
  Permit permit(const EndpointUrl& url, std::string_view partition, std::string_view bucket) const;

  bool any_ = true;
  std::vector<Place> places_;
};

// Nothing if the list is valid, else a sentence that names the invalid item.
std::optional<std::string> places_problem(std::string_view list);

}  // namespace hydra::s3
