// Where data may go: the patterns of hydra_export.allowed_places.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "s3/endpoint.hpp"

namespace hydra::s3 {

// What a list of places says to a bucket at an endpoint.
enum class Permit {
  none,         // nothing goes there
  ordinary,     // only over connections to addresses that are not special (see address.hpp)
  any_address,  // the list names the host itself
};

// One item of the list, "<endpoint>/<bucket>": `aws/exports-*`, `https://minio.example.com/*`,
// `http://127.0.0.1:*/exports`. `*` stands for any characters but '/'.
//
// An endpoint is the name of one of AWS's partitions (S3's own hosts, over https, whatever the
// region), or a URL. Its parts are compared one by one, each as a destination's endpoint has it
// (host in lower case, scheme's own port where none is given), so that a wildcard in the host never
// stands for a port. It does stand for dots, and therefore not in a host's last part, where
// `store.example*` would be `store.example.of.somebody.else` as well; `*` alone is any host.
struct Place {
  std::string partition;  // '' = the URL's parts say where
  std::string scheme, host, path;
  std::optional<int> port;  // nothing = any
  std::string bucket;

  bool names_host() const;  // without a wildcard
};

// A list of places. The empty one allows every place whose host is not special. A special host is
// allowed only where a place names it.
class Places {
 public:
  Places() = default;
  // What is no place (see places_problem()) matches nothing.
  explicit Places(std::string_view list);

  // Throws std::runtime_error when the endpoint is no URL.
  Permit permit(const EndpointSettings& target) const;

  // The same for an endpoint that a store's answer named.
  Permit permit(const Endpoint& endpoint, std::string_view bucket) const;

 private:
  Permit permit(const EndpointUrl& url, std::string_view partition, std::string_view bucket) const;

  bool any_ = true;
  std::vector<Place> places_;
};

// Nothing when the list can be read, else a sentence that names the item at fault.
std::optional<std::string> places_problem(std::string_view list);

}  // namespace hydra::s3
