// The proxies that libcurl takes from the process's environment. Internal to src/s3.
#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

namespace hydra::s3 {

struct Proxy {
  std::string host;  // IPv6 without brackets
  int port = 0;
};

// The proxies in http_proxy, https_proxy, HTTPS_PROXY, all_proxy and ALL_PROXY.
std::vector<Proxy> proxies_of_environment();

// Whether a special address (see address.hpp) is that of a proxy: an IP address, or loopback for
// localhost, with the proxy's port. Other names are not resolved.
bool is_proxy(const std::vector<Proxy>& proxies, const sockaddr& address) noexcept;

}  // namespace hydra::s3
