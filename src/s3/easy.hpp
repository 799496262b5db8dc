// One of libcurl's easy handles. Internal to src/s3.
#pragma once

#include <curl/curl.h>

#include <memory>
#include <new>
#include <stdexcept>
#include <string>

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

// An easy handle with what all our requests have in common: HTTP/1.1 over http or https only, TLS
// 1.2 or newer with the server's certificate checked, no signals, no redirects. libcurl keeps its
// address. The caller blocks signals around each method, and around the destructor.
class Easy {
 public:
  // ca_file '' = the system's.
  Easy(const std::string& ca_file, const std::string& user_agent);
  Easy(const Easy&) = delete;
  Easy& operator=(const Easy&) = delete;

  CURL* get() const { return handle_.get(); }

  template <typename Value>
  void set(CURLoption option, Value value) {
    require(curl_easy_setopt(handle_.get(), option, value));
  }

  // Before a request: no request of before has left an error.
  void forget_error() { error_[0] = '\0'; }

  // Why a request failed, in words: our own for certificates, else libcurl's.
  std::string why(CURLcode result) const;

  int status() const;  // of the answer; 0 = none

 private:
  struct Cleanup {
    void operator()(CURL* handle) const noexcept { curl_easy_cleanup(handle); }
  };
  char error_[CURL_ERROR_SIZE] = "";
  std::unique_ptr<CURL, Cleanup> handle_;
};

}  // namespace hydra::s3
