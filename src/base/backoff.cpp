#include "base/backoff.hpp"

#include <algorithm>

namespace hydra {

Backoff::Backoff(std::chrono::milliseconds base, std::chrono::milliseconds cap, std::uint64_t seed)
    : base_(base), cap_(cap), random_(seed) {}

std::chrono::milliseconds Backoff::bound(int attempt) const {
  std::chrono::milliseconds wait = base_;
  for (int i = 1; i < attempt && wait < cap_; ++i)
    wait = wait > cap_ / 2 ? cap_ : wait * 2;
  return std::min(wait, cap_);
}

std::chrono::milliseconds Backoff::delay(int attempt) {
  using Count = std::chrono::milliseconds::rep;
  const Count most = std::max<Count>(0, bound(attempt).count());
  return std::chrono::milliseconds{std::uniform_int_distribution<Count>{0, most}(random_)};
}

}  // namespace hydra
