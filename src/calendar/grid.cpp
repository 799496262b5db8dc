#include "calendar/grid.hpp"

#include <algorithm>
#include <limits>

namespace hydra::calendar {

namespace {

// The difference of two int64 values may not fit into an int64.
__extension__ typedef __int128 Wide;

}  // namespace

std::int64_t next_grid_point(std::int64_t anchor, std::int64_t period, std::int64_t after) {
  const Wide distance = static_cast<Wide>(after) - anchor;
  Wide steps = distance / period;
  if (distance % period < 0) --steps;  // division rounds towards zero, the grid downwards
  const Wide point = anchor + (steps + 1) * period;
  return static_cast<std::int64_t>(std::min<Wide>(point, std::numeric_limits<std::int64_t>::max()));
}

bool is_due_again(std::int64_t last, std::int64_t now, std::int64_t every, std::int64_t hour,
                  std::optional<std::int64_t> anchor, std::int64_t period) {
  if (anchor) {
    // A whole number of periods apart, so any grid point gives the same result.
    last = next_grid_point(*anchor, period, last);
    now = next_grid_point(*anchor, period, now);
  }
  return now - last >= every - hour / 60;
}

std::int64_t retry_delay(std::int64_t initial, int failures, std::int64_t period) {
  std::int64_t delay = initial;
  for (int i = 1; i < failures && delay < period; ++i)
    delay = delay > period / 2 ? period : delay * 2;
  return std::min(delay, period);
}

}  // namespace hydra::calendar
