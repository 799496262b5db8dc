// Limits the rate of work.
#pragma once

#include <chrono>
#include <cstdint>

namespace hydra {

// Computes how long to wait so that work stays below a rate. After a pause in the work (such as a
// slow upload) there is no burst to make up for it: allowance that is not used within a second
// expires.
class Pacer {
 public:
  using Clock = std::chrono::steady_clock;

  // per_second: bytes; 0 = no limit.
  Pacer(std::uint64_t per_second, Clock::time_point start)
      : per_second_(per_second), free_at_(start) {}

  // Records that this many bytes were processed, and returns how long to wait before the next.
  std::chrono::milliseconds note(std::uint64_t bytes, Clock::time_point now);

 private:
  std::uint64_t per_second_;
  Clock::time_point free_at_;  // when all bytes so far would have passed at this rate
};

}  // namespace hydra
