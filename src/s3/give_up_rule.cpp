#include "s3/give_up_rule.hpp"

#include <algorithm>

namespace hydra::s3 {

std::optional<std::string> GiveUpRule::failed(const Failure& failure) {
  const bool again = last_ && last_->same_reason(failure);
  in_a_row_ = again ? in_a_row_ + 1 : 1;
  last_ = failure;
  if (failure.action == Action::stop || failure.action == Action::fix) return "";
  if (in_a_row_ < patience) return std::nullopt;
  return " (" + std::to_string(patience) + " objects in a row)";
}

std::optional<std::chrono::seconds> GiveUpRule::silence(
    std::optional<Clock::time_point> quiet_since, Clock::time_point now) {
  if (now - looked_at_ > longest_turn) looked_since_ = now;
  looked_at_ = now;
  if (longest_silence_.count() == 0 || !quiet_since) return std::nullopt;
  if (now - std::max(*quiet_since, looked_since_) < longest_silence_) return std::nullopt;
  return std::chrono::duration_cast<std::chrono::seconds>(longest_silence_);
}

}  // namespace hydra::s3
