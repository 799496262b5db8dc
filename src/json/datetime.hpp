// Dates, times and intervals in ISO 8601, byte for byte as PostgreSQL prints them.
//
// Values are in PostgreSQL's own form: days and microseconds since 2000-01-01, in the proleptic
// Gregorian calendar. Each function writes at `to` and returns the end of its output. Years have
// four digits or more; years before the first have " BC" at the end of the text. The caller handles
// infinities.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace hydra::json {

constexpr std::size_t max_date_size = 20;
constexpr std::size_t max_time_size = 24;       // with a zone
constexpr std::size_t max_timestamp_size = 48;  // with a zone
constexpr std::size_t max_interval_size = 96;

// 2016-01-31
char* put_date(char* to, std::int32_t day) noexcept;

// 04:00:00, 04:00:00.25, 24:00:00
char* put_time(char* to, std::int64_t microseconds) noexcept;

// 04:00:00+02, -03:30, +00:00:01; west: seconds west of Greenwich.
char* put_zoned_time(char* to, std::int64_t microseconds, std::int32_t west) noexcept;

// 2016-01-31T04:00:00.25+00:00; separator: 'T' or ' '; zone: "", "+00" or "+00:00".
char* put_timestamp(char* to, std::int64_t microseconds, char separator,
                    std::string_view zone) noexcept;

// P1Y2M3DT4H5M6.7S, each part with its own sign; PT0S.
char* put_interval(char* to, std::int32_t months, std::int32_t days,
                   std::int64_t microseconds) noexcept;

}  // namespace hydra::json
