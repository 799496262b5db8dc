// Uploads many small objects with the extension's client, waiting as an export does, and prints how
// many seconds that took.
//
//   objects BUCKET N SIZE CONCURRENCY
//
// Endpoint, region and keys come from the environment: S3_ENDPOINT, S3_REGION, S3_OWNER_KEY,
// S3_OWNER_SECRET.
#include <poll.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

#include "base/sha256.hpp"
#include "s3/client.hpp"
#include "s3/credentials/chain.hpp"

namespace {

using namespace hydra::s3;
using Clock = std::chrono::steady_clock;

class Letters : public Body {
 public:
  explicit Letters(std::size_t size) : size_(size) {}
  std::uint64_t size() const override { return size_; }
  void rewind() override { left_ = size_; }
  std::size_t read(char* to, std::size_t room) noexcept override {
    const std::size_t n = std::min(room, left_);
    std::memset(to, 'x', n);
    left_ -= n;
    return n;
  }

 private:
  std::size_t size_, left_ = 0;
};

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr) throw std::runtime_error(std::string(name) + " is not set");
  return value;
}

Options options(const char* bucket, int concurrency) {
  Options options;
  options.target = {bucket, variable("S3_REGION"), variable("S3_ENDPOINT"), Addressing::path};
  options.places = Places(options.target.endpoint + '/' + bucket);
  options.source = std::make_shared<credentials::Static>(
      Credentials{variable("S3_OWNER_KEY"), variable("S3_OWNER_SECRET"), ""});
  options.concurrency = concurrency;
  return options;
}

Upload object(std::size_t number, std::size_t size) {
  Upload upload;
  upload.key = "ours/" + std::to_string(number);
  upload.body = std::make_unique<Letters>(size);
  upload.sha256 = hydra::hex(hydra::sha256(std::string(size, 'x')));
  return upload;
}

void wait(Client& client) {
  std::vector<pollfd> sockets;
  for (const Watch& watch : client.watches()) {
    const int events = (watch.readable ? POLLIN : 0) | (watch.writable ? POLLOUT : 0);
    sockets.push_back({watch.fd, static_cast<short>(events), 0});
  }
  const auto timeout = client.timeout().value_or(std::chrono::milliseconds{1000});
  poll(sockets.data(), sockets.size(), static_cast<int>(timeout.count()));
  for (const pollfd& socket : sockets) {
    if (socket.revents == 0) continue;
    client.ready(socket.fd, (socket.revents & (POLLIN | POLLHUP)) != 0,
                 (socket.revents & POLLOUT) != 0);
  }
  client.perform();
  for (const Outcome& outcome : client.take_outcomes()) {
    if (!outcome.ok) throw std::runtime_error(outcome.failure->text());
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 5) throw std::runtime_error("objects BUCKET N SIZE CONCURRENCY");
  const std::size_t n = std::stoul(argv[2]), size = std::stoul(argv[3]);
  const int concurrency = std::stoi(argv[4]);
  initialize_library();
  Client client(options(argv[1], concurrency));
  const auto start = Clock::now();
  for (std::size_t i = 0; i < n; ++i) {
    client.put(object(i, size));
    while (client.pending() > static_cast<std::size_t>(concurrency))
      wait(client);
  }
  while (client.pending() > 0)
    wait(client);
  std::printf("%.3f\n", std::chrono::duration<double>(Clock::now() - start).count());
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
