// How long to wait before another attempt.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace hydra {

// Exponential backoff with full jitter: before attempt n + 1 comes a wait drawn evenly from
// 0 … min(cap, base * 2^(n-1)). Many clients that failed together thus do not come back together.
// The same seed gives the same waits.
class Backoff {
 public:
  Backoff(std::chrono::milliseconds base, std::chrono::milliseconds cap, std::uint64_t seed);

  // The wait after the given failed attempt, which counts from 1.
  std::chrono::milliseconds delay(int attempt);

  // The upper end of the range that delay() draws from.
  std::chrono::milliseconds bound(int attempt) const;

 private:
  std::chrono::milliseconds base_;
  std::chrono::milliseconds cap_;
  std::mt19937_64 random_;
};

}  // namespace hydra
