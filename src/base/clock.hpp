// Points in time as text, always in UTC and whatever the process's time zone or locale. Years 0 to
// 9999; times before 1970 are negative.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace hydra {

// "20130524T000000Z", as Signature Version 4 wants it.
std::string amz_date(std::int64_t unix_seconds);

// "201601310400", the name of an export's folder.
std::string utc_minute(std::int64_t unix_seconds);

// "2026-01-31T04:00:00.123456Z" (ISO 8601), always with six digits of microseconds.
std::string iso8601(std::int64_t unix_micros);

// Unix seconds of "2026-01-31T04:00:00Z", also with a fraction (dropped) or an offset ("+00:00").
// Nothing where the text is no such time.
std::optional<std::int64_t> parse_iso8601(const std::string& text);

}  // namespace hydra
