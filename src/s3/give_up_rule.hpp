// When a series of uploads is given up.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "s3/errors.hpp"

namespace hydra::s3 {

// Watches the ends of uploads that go to one bucket, and says when those that are left would most
// likely fail as well: after a failure that each of them would meet (credentials, the bucket),
// after several in a row for the same reason, or when the store has taken nothing for too long.
class GiveUpRule {
 public:
  using Clock = std::chrono::steady_clock;

  // After so many failures in a row for the same reason, the others are not tried.
  static constexpr int patience = 3;

  // A process that was busy for longer did not look after its uploads meanwhile: what the store
  // did in that time is not known.
  static constexpr std::chrono::seconds longest_turn{5};

  void succeeded() { in_a_row_ = 0; }

  // Nothing while the others are worth trying; else why not, to be said after the failure's words,
  // '' where those say it.
  std::optional<std::string> failed(const Failure& failure);

  // A store that takes nothing is waited for so long; 0 = for as long as the attempts last.
  void limit_silence(std::chrono::milliseconds limit) { longest_silence_ = limit; }

  // To be called each time that the process looks after its uploads. quiet_since: since when none
  // of them has moved on. How long the store has been silent, once that is too long.
  std::optional<std::chrono::seconds> silence(std::optional<Clock::time_point> quiet_since,
                                              Clock::time_point now);

 private:
  int in_a_row_ = 0;  // failures for the same reason
  std::optional<Failure> last_;
  std::chrono::milliseconds longest_silence_{0};
  // When uploads were last looked after, and since when without a gap.
  Clock::time_point looked_at_, looked_since_;
};

}  // namespace hydra::s3
