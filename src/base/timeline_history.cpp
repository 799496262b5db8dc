#include "base/timeline_history.hpp"

#include <algorithm>
#include <charconv>
#include <string>

namespace hydra {
namespace {

constexpr std::string_view promotion = "no recovery target specified";

// Removes the text up to the separator, and the separator, from the front, and returns the text.
std::string_view next(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

}  // namespace

bool ended_at_recovery_target(std::string_view history, std::int64_t since) {
  bool any = false;
  while (!history.empty()) {
    std::string_view line = next(history, '\n');
    const std::string_view number = next(line, '\t');
    std::int64_t timeline = 0;
    const auto [end, error] =
        std::from_chars(number.data(), number.data() + number.size(), timeline);
    if (number.empty() || error != std::errc() || end != number.data() + number.size()) continue;
    any = true;
    next(line, '\t');  // where it ended
    if (timeline >= since && next(line, '\t') != promotion) return true;
  }
  return !any;
}

}  // namespace hydra
