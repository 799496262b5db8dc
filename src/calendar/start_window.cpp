#include "calendar/start_window.hpp"

namespace hydra::calendar {
namespace {

constexpr std::int64_t minute = 60'000'000;
constexpr std::int64_t day = 24 * 60 * minute;

std::optional<int> parse_digits(std::string_view text) {
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    value = 10 * value + (c - '0');
  }
  return value;
}

// Converts "HH:MM" to minutes of the day.
std::optional<int> parse_time(std::string_view text) {
  if (text.size() != 5 || text[2] != ':') return std::nullopt;
  const std::optional<int> hours = parse_digits(text.substr(0, 2));
  const std::optional<int> minutes = parse_digits(text.substr(3));
  if (!hours || !minutes || *minutes > 59) return std::nullopt;
  const int time = 60 * *hours + *minutes;
  if (time > 24 * 60) return std::nullopt;
  return time;
}

}  // namespace

std::optional<StartWindow> parse_start_window(std::string_view text) {
  if (text.empty()) return StartWindow{};
  if (text.size() != 11 || text[5] != '-') return std::nullopt;
  const std::optional<int> from = parse_time(text.substr(0, 5));
  const std::optional<int> to = parse_time(text.substr(6));
  if (!from || !to || *from == *to || *from == 24 * 60) return std::nullopt;
  return StartWindow{*from, *to};
}

std::int64_t next_start(const StartWindow& window, std::int64_t at) {
  const std::int64_t from = window.from * minute;
  const std::int64_t to = window.to * minute;
  const std::int64_t time = (at % day + day) % day;
  const bool inside = from < to ? from <= time && time < to : time >= from || time < to;
  if (inside) return at;
  return at - time + from + (time >= from ? day : 0);
}

}  // namespace hydra::calendar
