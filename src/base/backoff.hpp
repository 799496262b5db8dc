// How long to wait before another attempt.
#pragma once

#include <chrono>
#include <cstdint>
#include <random>

namespace hydra {

// Exponential backoff with full jitter: the wait before attempt n + 1 is drawn evenly from 0 …
// min(cap, base * 2^(n-1)), so that many clients that failed together do not retry together. The
// same seed gives the same waits.
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
