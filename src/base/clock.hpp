// Points in time as text, always in UTC and whatever the process's time zone or locale. Years 0 to
// 9999; times before 1970 are negative.
#pragma once

#include <cstdint>
#include <string>

namespace hydra {

// "20130524T000000Z", as Signature Version 4 wants it.
std::string amz_date(std::int64_t unix_seconds);

// "201601310400", the name of an export's folder.
std::string utc_minute(std::int64_t unix_seconds);

// "2026-01-31T04:00:00.123456Z" (ISO 8601), always with six digits of microseconds.
std::string iso8601(std::int64_t unix_micros);

}  // namespace hydra
