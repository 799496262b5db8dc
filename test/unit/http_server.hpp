// A small HTTP/1.1 server on 127.0.0.1 that responds by a script and records the requests.
#pragma once

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace hydra::test {

struct Received {
  std::string line;                            // "PUT /path HTTP/1.1"
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  int connection = 0;  // counts from 1
};

struct Reply {
  enum Kind {
    answer,     // after the whole request
    slow,       // the same, but the request is read a little at a time
    cut_short,  // after the whole request; the connection is closed before the answer's end
    no_answer,  // none: after the whole request the connection is closed
    early,      // before the body is read; then the connection is closed
    garbage,    // after the headers, bytes that are no HTTP; then the connection is closed
    reset,      // none: the connection is reset once the headers are there
    hang        // none: the connection stays open
  };
  Kind kind = answer;
  int status = 200;
  std::string body = "";
  std::string headers = "ETag: \"0123abc\"\r\nx-amz-request-id: REQ1\r\n";
};

// Replies are used in the order in which requests arrive; after the last one, all requests get 200.
// One thread per connection.
class HttpServer {
 public:
  HttpServer() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        listen(listener_, 64) != 0 ||
        getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0)
      throw std::runtime_error("no test server");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }

  ~HttpServer() {
    stopping_ = true;
    acceptor_.join();
    for (std::thread& worker : workers_)
      worker.join();
    close(listener_);
  }

  int port() const { return port_; }
  std::string host() const { return "127.0.0.1:" + std::to_string(port_); }

  void script(std::deque<Reply> replies) {
    const std::lock_guard lock(mutex_);
    replies_ = std::move(replies);
  }

  std::vector<Received> received() {
    const std::lock_guard lock(mutex_);
    return received_;
  }

 private:
  bool wait_for(int fd) const {
    while (!stopping_) {
      pollfd one{fd, POLLIN, 0};
      if (poll(&one, 1, 20) > 0) return true;
    }
    return false;
  }

  void accept_all() {
    int count = 0;
    while (wait_for(listener_)) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      ++count;
      workers_.emplace_back([this, fd, count] {
        while (serve(fd, count))
          continue;
        close(fd);
      });
    }
  }

  bool read_more(int fd, std::string& input) const {
    char bytes[65536];
    if (!wait_for(fd)) return false;
    const ssize_t n = recv(fd, bytes, sizeof bytes, 0);
    if (n <= 0) return false;
    input.append(bytes, static_cast<std::size_t>(n));
    return true;
  }

  // Handles one request; false if the connection has ended.
  bool serve(int fd, int connection) {
    std::string input;
    while (input.find("\r\n\r\n") == std::string::npos) {
      if (!read_more(fd, input)) return false;
    }
    const std::size_t end = input.find("\r\n\r\n") + 4;
    Received request = parse(input.substr(0, end));
    request.connection = connection;
    const Reply reply = next_reply();
    if (reply.kind > Reply::no_answer) return misbehave(fd, reply, std::move(request));
    request.body = input.substr(end);
    const std::size_t length = std::stoul("0" + request.headers["content-length"]);
    while (request.body.size() < length) {
      if (reply.kind == Reply::slow) std::this_thread::sleep_for(std::chrono::milliseconds{25});
      if (!read_more(fd, request.body)) return false;
    }
    remember(std::move(request));
    if (reply.kind == Reply::no_answer) return false;
    return send_reply(fd, reply) && reply.kind <= Reply::slow;
  }

  bool misbehave(int fd, const Reply& reply, Received request) {
    remember(std::move(request));
    std::string rest;
    if (reply.kind == Reply::early) {
      send_reply(fd, reply);
      shutdown(fd, SHUT_WR);
      while (read_more(fd, rest))
        rest.clear();
    } else if (reply.kind == Reply::garbage) {
      constexpr std::string_view garbage = "\x16\x03\x01 what?\r\n\r\n";
      send(fd, garbage.data(), garbage.size(), MSG_NOSIGNAL);
      shutdown(fd, SHUT_WR);
      while (read_more(fd, rest))
        rest.clear();
    } else if (reply.kind == Reply::reset) {
      const linger at_once{1, 0};
      setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    } else {
      while (read_more(fd, rest))
        rest.clear();
    }
    return false;
  }

  static Received parse(const std::string& text) {
    Received request;
    std::size_t at = text.find("\r\n");
    request.line = text.substr(0, at);
    while (true) {
      at += 2;
      const std::size_t end = text.find("\r\n", at);
      if (end == at || end == std::string::npos) return request;
      const std::size_t colon = text.find(':', at);
      std::string name = text.substr(at, colon - at);
      for (char& c : name)
        c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      request.headers[name] = text.substr(colon + 2, end - colon - 2);
      at = end;
    }
  }

  static bool send_reply(int fd, const Reply& reply) {
    const std::size_t promised = reply.body.size() + (reply.kind == Reply::cut_short ? 100 : 0);
    const std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " Status\r\n" +
                             reply.headers + "Content-Length: " + std::to_string(promised) +
                             "\r\n\r\n" + reply.body;
    return send(fd, text.data(), text.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(text.size());
  }

  Reply next_reply() {
    const std::lock_guard lock(mutex_);
    if (replies_.empty()) return {};
    Reply reply = replies_.front();
    replies_.pop_front();
    return reply;
  }

  void remember(Received request) {
    const std::lock_guard lock(mutex_);
    received_.push_back(std::move(request));
  }

  int listener_;
  int port_ = 0;
  std::atomic<bool> stopping_ = false;
  std::mutex mutex_;
  std::deque<Reply> replies_;
  std::vector<Received> received_;
  std::vector<std::thread> workers_;
  std::thread acceptor_;
};

}  // namespace hydra::test
