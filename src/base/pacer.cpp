#include "base/pacer.hpp"

#include <algorithm>

namespace hydra {
namespace {

constexpr std::chrono::seconds longest_credit{1};

}  // namespace

std::chrono::milliseconds Pacer::note(std::uint64_t bytes, Clock::time_point now) {
  if (per_second_ == 0) return std::chrono::milliseconds(0);
  const std::chrono::duration<double> took(static_cast<double>(bytes) /
                                           static_cast<double>(per_second_));
  free_at_ =
      std::max(free_at_, now - longest_credit) + std::chrono::duration_cast<Clock::duration>(took);
  if (free_at_ <= now) return std::chrono::milliseconds(0);
  return std::chrono::duration_cast<std::chrono::milliseconds>(free_at_ - now);
}

}  // namespace hydra
