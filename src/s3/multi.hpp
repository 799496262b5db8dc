// libcurl's multi handle, driven by sockets and a timer. Internal to the client.
#pragma once

#include <curl/curl.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "s3/watch.hpp"

namespace hydra::s3 {

// Tracks, through libcurl's callbacks, the sockets that libcurl wants watched, and the time at
// which it wants to be called, for a caller that waits. Nothing here waits.
//
// Every method may call into libcurl, so the caller blocks signals (SignalsBlocked) around it.
// Throws std::runtime_error or std::bad_alloc if libcurl fails.
class Multi {
 public:
  using Clock = std::chrono::steady_clock;

  struct Done {
    CURL* handle;
    CURLcode result;
  };

  explicit Multi(int connections);
  Multi(const Multi&) = delete;
  Multi& operator=(const Multi&) = delete;

  void add(CURL* handle);
  void remove(CURL* handle) noexcept;

  // Makes libcurl process one socket; `events` are CURL_CSELECT_ bits.
  void act(curl_socket_t socket, int events);
  // Polls the watched sockets, and processes the ready ones.
  void act_on_ready();
  // Runs libcurl's timer if it is due; false if it is not.
  bool run_timer();
  // The next transfer that ended. The caller must still remove its handle.
  std::optional<Done> next_done();

  const std::vector<Watch>& watches() const { return watches_; }
  std::uint64_t watches_version() const { return version_; }
  std::optional<Clock::time_point> deadline() const { return deadline_; }

 private:
  struct Cleanup {
    void operator()(CURLM* multi) const noexcept { curl_multi_cleanup(multi); }
  };

  static int on_socket(CURL* handle, curl_socket_t socket, int what, void* self, void*) noexcept;
  static int on_timer(CURLM* multi, long milliseconds, void* self) noexcept;
  void watch(curl_socket_t socket, int what);

  std::vector<Watch> watches_;
  std::uint64_t version_ = 0;
  std::optional<Clock::time_point> deadline_;
  // The last member, so that it is destroyed first: its cleanup still calls back.
  std::unique_ptr<CURLM, Cleanup> multi_;
};

}  // namespace hydra::s3
