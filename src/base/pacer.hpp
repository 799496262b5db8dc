// Keeping work below a rate.
#pragma once

#include <chrono>
#include <cstdint>

namespace hydra {

// Says how long to wait so that an amount of work does not pass a rate. After a pause of the work
// itself (a slow upload, say) it is not made up for by a burst: what was not used within a second
// is gone.
class Pacer {
 public:
  using Clock = std::chrono::steady_clock;

  // per_second: bytes; 0 = no limit.
  Pacer(std::uint64_t per_second, Clock::time_point start)
      : per_second_(per_second), free_at_(start) {}

  // Notes that so many bytes were worked on, and returns how long to wait before the next.
  std::chrono::milliseconds note(std::uint64_t bytes, Clock::time_point now);

 private:
  std::uint64_t per_second_;
  Clock::time_point free_at_;  // when all bytes so far would have passed at that rate
};

}  // namespace hydra
