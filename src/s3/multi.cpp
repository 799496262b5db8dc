#include "s3/multi.hpp"

#include <poll.h>

#include <algorithm>
#include <new>
#include <stdexcept>
#include <string>

namespace hydra::s3 {

namespace {

void require(CURLMcode code) {
  if (code == CURLM_OUT_OF_MEMORY) throw std::bad_alloc();
  if (code != CURLM_OK)
    throw std::runtime_error(std::string("libcurl failed: ") + curl_multi_strerror(code));
}

short poll_events(const Watch& watch) {
  return static_cast<short>((watch.readable ? POLLIN : 0) | (watch.writable ? POLLOUT : 0));
}

int curl_events(short found) {
  return ((found & (POLLIN | POLLHUP)) ? CURL_CSELECT_IN : 0) |
         ((found & POLLOUT) ? CURL_CSELECT_OUT : 0) |
         ((found & (POLLERR | POLLNVAL)) ? CURL_CSELECT_ERR : 0);
}

}  // namespace

Multi::Multi(int connections) : multi_(curl_multi_init()) {
  if (multi_ == nullptr) throw std::bad_alloc();
  const auto set = [this](CURLMoption option, auto value) {
    require(curl_multi_setopt(multi_.get(), option, value));
  };
  set(CURLMOPT_SOCKETFUNCTION, &Multi::on_socket);
  set(CURLMOPT_SOCKETDATA, this);
  set(CURLMOPT_TIMERFUNCTION, &Multi::on_timer);
  set(CURLMOPT_TIMERDATA, this);
  set(CURLMOPT_MAXCONNECTS, static_cast<long>(connections));
}

void Multi::add(CURL* handle) {
  require(curl_multi_add_handle(multi_.get(), handle));
}

void Multi::remove(CURL* handle) noexcept {
  curl_multi_remove_handle(multi_.get(), handle);
}

void Multi::act(curl_socket_t socket, int events) {
  int running = 0;
  require(curl_multi_socket_action(multi_.get(), socket, events, &running));
}

void Multi::act_on_ready() {
  std::vector<pollfd> sockets;
  for (const Watch& watch : watches_)
    sockets.push_back({watch.fd, poll_events(watch), 0});
  if (sockets.empty() || poll(sockets.data(), sockets.size(), 0) <= 0) return;
  for (const pollfd& socket : sockets) {
    if (socket.revents != 0) act(socket.fd, curl_events(socket.revents));
  }
}

bool Multi::run_timer() {
  if (!deadline_ || *deadline_ > Clock::now()) return false;
  deadline_.reset();  // it rings once; libcurl sets the next one from within
  act(CURL_SOCKET_TIMEOUT, 0);
  return true;
}

std::optional<Multi::Done> Multi::next_done() {
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
    if (message->msg == CURLMSG_DONE) return Done{message->easy_handle, message->data.result};
  }
  return std::nullopt;
}

int Multi::on_socket(CURL*, curl_socket_t socket, int what, void* self, void*) noexcept {
  try {
    static_cast<Multi*>(self)->watch(socket, what);
    return 0;
  } catch (...) {
    return -1;
  }
}

int Multi::on_timer(CURLM*, long milliseconds, void* self) noexcept {
  auto& deadline = static_cast<Multi*>(self)->deadline_;
  deadline.reset();
  if (milliseconds >= 0) deadline = Clock::now() + std::chrono::milliseconds(milliseconds);
  return 0;
}

void Multi::watch(curl_socket_t socket, int what) {
  ++version_;
  const auto known = std::find_if(watches_.begin(), watches_.end(),
                                  [&](const Watch& watch) { return watch.fd == socket; });
  const bool readable = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
  const bool writable = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
  if (!readable && !writable) {
    if (known != watches_.end()) watches_.erase(known);
  } else if (known == watches_.end()) {
    watches_.push_back({socket, readable, writable});
  } else {
    *known = {socket, readable, writable};
  }
}

}  // namespace hydra::s3
