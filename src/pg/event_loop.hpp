// Waiting for uploads and for the server's own events at once.
#pragma once

#include "pg/error.hpp"
#include "s3/client.hpp"

namespace hydra::pg {

// Waits on the process's latch, the postmaster's death and a client's sockets, so that a cancel, a
// termination or the postmaster's death ends the wait at once, however long S3 takes.
class EventLoop {
 public:
  explicit EventLoop(s3::Client& client) : client_(client) {}
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // One turn: waits until something happens (at most `limit`), lets the client process it, then
  // handles interrupts. Throws pg::Error for a cancel.
  void wait(std::chrono::milliseconds limit);

 private:
  void rebuild();

  s3::Client& client_;
  WaitEventSet* set_ = nullptr;
  std::uint64_t version_ = 0;
};

// Waits only for the latch, then handles interrupts; true if the configuration was reloaded.
bool wait_for_latch(std::chrono::milliseconds limit);

}  // namespace hydra::pg
