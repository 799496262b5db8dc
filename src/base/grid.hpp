// The schedule's arithmetic (design.md, section 4): exports run at anchor + k * period, without
// drift. Times are microseconds since any epoch, intervals microseconds.
#pragma once

#include <cstdint>

namespace hydra {

// The smallest anchor + k * period (k may be negative) strictly greater than `after`; the largest
// int64 when that point does not fit. The period must be positive.
std::int64_t next_grid_point(std::int64_t anchor, std::int64_t period, std::int64_t after);

// The wait after a number of failures in a row (>= 1): initial * 2^(failures - 1), at most a
// period.
std::int64_t retry_delay(std::int64_t initial, int failures, std::int64_t period);

}  // namespace hydra
