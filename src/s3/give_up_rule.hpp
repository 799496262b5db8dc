// Decides when a series of uploads is given up.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "s3/errors.hpp"

namespace hydra::s3 {

// Receives the outcomes of uploads to one bucket, and decides when the remaining ones would most
// likely fail as well: after a failure that is not specific to an object (credentials, the bucket),
// after several consecutive failures for the same reason, or if the store has accepted no data for
// too long.
class GiveUpRule {
 public:
  using Clock = std::chrono::steady_clock;

  // After this many consecutive failures for the same reason, the others are not attempted.
  static constexpr int patience = 3;

  // A process that was busy for longer than this did not process its uploads meanwhile, so what the
  // store did in that time is unknown.
  static constexpr std::chrono::seconds longest_turn{5};

  void succeeded() { in_a_row_ = 0; }

  // Nothing while the others are worth attempting; else the reason, as text to append to the
  // failure's message, or '' if that message is sufficient.
  std::optional<std::string> failed(const Failure& failure);

  // How long a store may accept no data; 0 = no limit other than the number of attempts.
  void limit_silence(std::chrono::milliseconds limit) { longest_silence_ = limit; }

  // Call each time the process handles its uploads. quiet_since: the time since which none of them
  // has made progress. Returns how long the store has been silent, once that is too long.
  std::optional<std::chrono::seconds> silence(std::optional<Clock::time_point> quiet_since,
                                              Clock::time_point now);

 private:
  int in_a_row_ = 0;  // consecutive failures for the same reason
  std::optional<Failure> last_;
  std::chrono::milliseconds longest_silence_{0};
  // When uploads were last handled, and since when they are handled without a gap.
  Clock::time_point looked_at_, looked_since_;
};

}  // namespace hydra::s3
