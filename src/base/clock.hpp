// Points in time as text, always in UTC, independent of the process's time zone and locale. Years 0
// to 9999; times before 1970 are negative.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace hydra {

// "20130524T000000Z", the format of Signature Version 4.
std::string amz_date(std::int64_t unix_seconds);

// "201601310400", the name of an export's folder.
std::string utc_minute(std::int64_t unix_seconds);

// "2026-01-31T04:00:00.123456Z" (ISO 8601), always with six digits of microseconds.
std::string iso8601(std::int64_t unix_micros);

// Unix seconds of "2026-01-31T04:00:00Z"; a fraction is dropped, an offset ("+00:00") is applied.
// Nothing if the text has another form.
std::optional<std::int64_t> parse_iso8601(const std::string& text);

}  // namespace hydra
