// A client and the scripted server that it talks to.
#pragma once

#include <gtest/gtest.h>
#include <poll.h>

#include <cstdlib>
#include <cstring>

#include "base/sha256.hpp"
#include "http_server.hpp"
#include "s3/client.hpp"
#include "s3/credentials/chain.hpp"

namespace hydra::s3::test {

using hydra::test::HttpServer;
using hydra::test::Received;
using hydra::test::Reply;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

inline constexpr milliseconds patience{20000};

class Text : public Body {
 public:
  explicit Text(std::string text, int* alive = nullptr) : text_(std::move(text)), alive_(alive) {
    if (alive_ != nullptr) ++*alive_;
  }
  ~Text() override {
    if (alive_ != nullptr) --*alive_;
  }
  std::uint64_t size() const override { return text_.size(); }
  void rewind() override { at_ = 0; }
  std::size_t read(char* to, std::size_t room) noexcept override {
    const std::size_t n = std::min(room, text_.size() - at_);
    std::memcpy(to, text_.data() + at_, n);
    at_ += n;
    return n;
  }

 private:
  std::string text_;
  int* alive_;
  std::size_t at_ = 0;
};

inline Upload upload_of(std::uint64_t tag, const std::string& text, int* alive = nullptr) {
  return {tag, "201601310400/orders/" + std::to_string(tag) + "-x%2Dy.json",
          std::make_unique<Text>(text, alive), hex(sha256(text)), "application/x-ndjson"};
}

inline std::string random_text(std::size_t size) {
  std::string text(size, '\0');
  unsigned state = 12345;
  for (char& c : text)
    c = static_cast<char>((state = state * 1664525u + 1013904223u) >> 24);
  return text;
}

class ClientTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
      unsetenv(name);
    initialize_library();
  }

  ClientTest() {
    options_.target = {"data", "eu-west-1", "http://" + server_.host(), Addressing::automatic};
    options_.places =
        Places("http://127.0.0.1:*/*, http://localhost:*/*, aws/*, https://127.0.0.1:*/*");
    use({"AKIDEXAMPLE", "not-so-secret", ""});
    options_.user_agent = "hydra_export/test";
    options_.retry_base = milliseconds{5};
    options_.retry_cap = milliseconds{20};
  }

  void use(const Credentials& keys) {
    options_.source = std::make_shared<credentials::Static>(keys);
  }

  // One turn of a caller with an event loop of its own.
  void turn(Client& client) {
    std::vector<pollfd> fds;
    for (const Watch& watch : client.watches()) {
      EXPECT_TRUE(watch.readable || watch.writable);
      fds.push_back(
          {watch.fd,
           static_cast<short>((watch.readable ? POLLIN : 0) | (watch.writable ? POLLOUT : 0)), 0});
    }
    const auto timeout = client.timeout();
    EXPECT_TRUE(timeout || !fds.empty()) << "nothing would ever wake the caller";
    constexpr milliseconds second{1000};
    const milliseconds wait = std::min(timeout.value_or(second), second);
    poll(fds.data(), fds.size(), static_cast<int>(wait.count()));
    for (const pollfd& fd : fds) {
      if (fd.revents != 0)
        client.ready(fd.fd, (fd.revents & (POLLIN | POLLHUP)) != 0, (fd.revents & POLLOUT) != 0);
    }
    client.perform();
  }

  std::vector<Outcome> wait_for(Client& client) {
    const auto stop = Clock::now() + patience;
    std::vector<Outcome> outcomes = client.take_outcomes();
    while (client.pending() > 0 && Clock::now() < stop) {
      turn(client);
      for (Outcome& outcome : client.take_outcomes())
        outcomes.push_back(std::move(outcome));
    }
    EXPECT_EQ(client.pending(), 0u) << "not finished in time";
    return outcomes;
  }

  Outcome upload(const std::string& text = "{}\n") {
    Client client(options_);
    client.put(upload_of(1, text));
    auto outcomes = wait_for(client);
    EXPECT_EQ(outcomes.size(), 1u);
    return outcomes.empty() ? Outcome() : std::move(outcomes[0]);
  }

  HttpServer server_;
  Options options_;
};

}  // namespace hydra::s3::test
