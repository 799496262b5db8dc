// The time range of the day in which scheduled exports may start.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace hydra::calendar {

// From the first minute of the UTC day to before the second; spans midnight if the second is
// smaller.
struct StartWindow {
  int from = 0;
  int to = 24 * 60;
};

// "HH:MM-HH:MM", up to 24:00; '' for the whole day. Nothing if the text has another form.
std::optional<StartWindow> parse_start_window(std::string_view text);

// The earliest time within the window at or after `at`. Microseconds since the Unix epoch.
std::int64_t next_start(const StartWindow& window, std::int64_t at);

}  // namespace hydra::calendar
