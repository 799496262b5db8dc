// One libcurl easy handle. Internal to src/s3.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <vector>

#include "s3/proxy.hpp"

namespace hydra::s3 {

// Throws std::bad_alloc or std::runtime_error unless the code is CURLE_OK.
void require(CURLcode code);

// A list of header lines.
class HeaderList {
 public:
  void append(const std::string& line);
  curl_slist* get() const { return list_.get(); }

 private:
  struct Free {
    void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
  };
  std::unique_ptr<curl_slist, Free> list_;
};

// An easy handle with the options that all requests share: only HTTP/1.1 over http or https, TLS
// 1.2 or newer with verification of the server's certificate, no signals, no redirects, and no
// connection to a special address (see address.hpp) unless that is allowed. The address is checked
// when the connection is opened, after name resolution. libcurl keeps a pointer to this object. The
// caller blocks signals around each method, and around the destructor.
//
// A proxy of the environment is allowed to have a special address, because the server's
// administrator chose it. It resolves names itself, so the addresses that they resolve to are for
// the proxy to refuse.
class Easy {
 public:
  // ca_file '' = the system's.
  Easy(const std::string& ca_file, const std::string& user_agent);
  Easy(const Easy&) = delete;
  Easy& operator=(const Easy&) = delete;

  // The hint if refused().
  static constexpr const char* refusal_advice =
      "hydra_export.allowed_places must name the host, as its address is loopback, link-local or "
      "otherwise special.";

  CURL* get() const { return handle_.get(); }

  template <typename Value>
  void set(CURLoption option, Value value) {
    require(curl_easy_setopt(handle_.get(), option, value));
  }

  // Call before a request, to clear errors of earlier requests.
  void forget_error() {
    error_[0] = '\0';
    refused_ = false;
  }

  // Whether new connections may be made to special addresses. (A kept connection is reused only for
  // the same host.)
  void allow_special(bool allowed) { special_allowed_ = allowed; }

  // Whether the request failed because its host has only special addresses.
  bool refused(CURLcode result) const { return refused_ && result == CURLE_COULDNT_CONNECT; }

  // Why a request failed: our own text for certificates and special addresses, else libcurl's.
  std::string why(CURLcode result) const;

  int status() const;  // of the response; 0 = none

 private:
  struct Cleanup {
    void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
  };
  static curl_socket_t on_open(void* self, curlsocktype purpose, curl_sockaddr* address) noexcept;

  const std::vector<Proxy> proxies_ = proxies_of_environment();
  bool special_allowed_ = false;
  bool refused_ = false;
  char error_[CURL_ERROR_SIZE] = "";
  std::unique_ptr<CURL, Cleanup> handle_;
};

}  // namespace hydra::s3
