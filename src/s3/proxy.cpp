#include "s3/proxy.hpp"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>

namespace hydra::s3 {

namespace {

struct FreeUrl {
  void operator()(CURLU* url) const noexcept { curl_url_cleanup(url); }
};
struct FreeText {
  void operator()(char* text) const noexcept { curl_free(text); }
};

std::string part(CURLU* url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, 0) != CURLUE_OK) return "";
  const std::unique_ptr<char, FreeText> owned(text);
  return text;
}

// Parsed as in libcurl: http:// if no scheme is given, port 1080 if no port is given (443 for
// https://).
std::optional<Proxy> parse_proxy(const char* text) {
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  constexpr unsigned flags = CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME;
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text, flags) != CURLUE_OK) return std::nullopt;
  Proxy proxy;
  proxy.host = part(url.get(), CURLUPART_HOST);
  if (proxy.host.starts_with('[')) proxy.host = proxy.host.substr(1, proxy.host.size() - 2);
  const std::string port = part(url.get(), CURLUPART_PORT);
  const int usual = part(url.get(), CURLUPART_SCHEME) == "https" ? 443 : 1080;
  proxy.port = port.empty() ? usual : std::atoi(port.c_str());
  return proxy;
}

// The address as text, and the port.
std::optional<Proxy> numeric(const sockaddr& address) noexcept {
  char text[INET6_ADDRSTRLEN];
  const void* bytes = nullptr;
  in_port_t port = 0;
  sockaddr_in four;
  sockaddr_in6 six;
  if (address.sa_family == AF_INET) {
    std::memcpy(&four, &address, sizeof four);
    bytes = &four.sin_addr;
    port = four.sin_port;
  } else if (address.sa_family == AF_INET6) {
    std::memcpy(&six, &address, sizeof six);
    bytes = &six.sin6_addr;
    port = six.sin6_port;
  }
  if (bytes == nullptr || inet_ntop(address.sa_family, bytes, text, sizeof text) == nullptr)
    return std::nullopt;
  return Proxy{text, ntohs(port)};
}

}  // namespace

std::vector<Proxy> proxies_of_environment() {
  std::vector<Proxy> proxies;
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"}) {
    const char* value = std::getenv(name);
    const auto proxy = value != nullptr ? parse_proxy(value) : std::nullopt;
    if (proxy) proxies.push_back(*proxy);
  }
  return proxies;
}

bool is_proxy(const std::vector<Proxy>& proxies, const sockaddr& address) noexcept {
  const auto reached = numeric(address);
  if (!reached) return false;
  const bool loopback = reached->host == "::1" || reached->host.starts_with("127.");
  return std::any_of(proxies.begin(), proxies.end(), [&](const Proxy& proxy) {
    return proxy.port == reached->port &&
           (proxy.host == reached->host || (proxy.host == "localhost" && loopback));
  });
}

}  // namespace hydra::s3
