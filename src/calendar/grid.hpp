// The schedule's arithmetic (src/schedule/README.md): exports run at anchor + k * period,
// without drift. Times are microseconds since any epoch, intervals microseconds.
#pragma once

#include <cstdint>
#include <optional>

namespace hydra::calendar {

// The smallest anchor + k * period (k may be negative) greater than `after`; the largest int64 if
// that point does not fit. The period must be positive.
std::int64_t next_grid_point(std::int64_t anchor, std::int64_t period, std::int64_t after);

// Whether something that is repeated at an interval of `every`, and was done at `last`, is due. The
// interval is counted from grid point to grid point, because work that is due at one starts some
// moments later. Without an anchor there is no grid, and it is due up to a minute (a sixtieth of
// `hour`) early.
bool is_due_again(std::int64_t last, std::int64_t now, std::int64_t every, std::int64_t hour,
                  std::optional<std::int64_t> anchor, std::int64_t period);

// The wait after a number of consecutive failures (>= 1): initial * 2^(failures - 1), at most a
// period.
std::int64_t retry_delay(std::int64_t initial, int failures, std::int64_t period);

}  // namespace hydra::calendar
