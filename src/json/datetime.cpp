#include "json/datetime.hpp"

#include <cstring>

#include "json/digits.hpp"

namespace hydra::json {
namespace {

constexpr std::int64_t second = 1000000;
constexpr std::int64_t minute = 60 * second;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day_length = 24 * hour;

struct Day {
  std::int64_t year;  // 0 is 1 BC
  std::uint32_t month, day;
};

// Neri and Schneider, "Euclidean affine functions and their application to calendar algorithms"
// (2022). Years begin in March, so that the leap day is the last day of a year, and are counted
// from early enough that no day is negative.
Day to_calendar(std::int64_t days) noexcept {
  constexpr std::int64_t days_per_400_years = 146097;
  constexpr std::int64_t years_before = 400 * 15;  // PostgreSQL's first day is in 4714 BC
  constexpr std::int64_t days_before = 730425 + 15 * days_per_400_years;  // March 1 to 2000-01-01
  const auto quarters = static_cast<std::uint64_t>(4 * (days + days_before) + 3);
  const std::uint64_t century = quarters / days_per_400_years;
  const auto in_century = static_cast<std::uint32_t>(quarters % days_per_400_years) | 3;
  // 2939745 / 2^32 is just above 1 / 1461, and four years have 1461 days.
  const std::uint64_t years = std::uint64_t{2939745} * in_century;
  const std::uint32_t in_year = static_cast<std::uint32_t>(years) / 2939745 / 4;
  const std::uint32_t month = 2141 * in_year + 197913;  // March is 3, in units of 1 / 2^16
  const bool next_year = in_year >= 306;                // January and February
  Day result;
  result.day = (month & 0xffff) / 2141 + 1;
  result.month = (month >> 16) - (next_year ? 12 : 0);
  result.year =
      static_cast<std::int64_t>(100 * century + (years >> 32)) - years_before + (next_year ? 1 : 0);
  return result;
}

char* put_text(char* to, std::string_view text) noexcept {
  std::memcpy(to, text.data(), text.size());
  return to + text.size();
}

char* put_day(char* to, const Day& day) noexcept {
  const auto year = static_cast<std::uint64_t>(day.year > 0 ? day.year : 1 - day.year);
  to = year < 10000 ? put_four(to, static_cast<std::uint32_t>(year)) : put_unsigned(to, year);
  *to++ = '-';
  to = put_two(to, day.month);
  *to++ = '-';
  return put_two(to, day.day);
}

char* put_era(char* to, const Day& day) noexcept {
  return day.year > 0 ? to : put_text(to, " BC");
}

// Writes .25 without trailing zeros; nothing for 0.
char* put_fraction(char* to, std::uint32_t microseconds) noexcept {
  if (microseconds == 0) return to;
  *to = '.';
  char* end = put_six(to + 1, microseconds);
  while (end[-1] == '0')
    --end;
  return end;
}

char* put_part(char* to, std::int64_t value, char unit) noexcept {
  if (value == 0) return to;
  to = put_signed(to, value);
  *to++ = unit;
  return to;
}

char* put_seconds(char* to, std::int64_t microseconds) noexcept {
  if (microseconds == 0) return to;
  if (microseconds < 0) *to++ = '-';
  const auto size = static_cast<std::uint64_t>(microseconds < 0 ? -microseconds : microseconds);
  to = put_unsigned(to, size / second);
  to = put_fraction(to, static_cast<std::uint32_t>(size % second));
  *to++ = 'S';
  return to;
}

}  // namespace

char* put_date(char* to, std::int32_t day) noexcept {
  const Day date = to_calendar(day);
  return put_era(put_day(to, date), date);
}

char* put_time(char* to, std::int64_t microseconds) noexcept {
  const auto seconds = static_cast<std::uint32_t>(microseconds / second);
  to = put_two(to, seconds / 3600);
  *to++ = ':';
  to = put_two(to, seconds / 60 % 60);
  *to++ = ':';
  to = put_two(to, seconds % 60);
  return put_fraction(to, static_cast<std::uint32_t>(microseconds - seconds * second));
}

char* put_zoned_time(char* to, std::int64_t microseconds, std::int32_t west) noexcept {
  to = put_time(to, microseconds);
  *to++ = west <= 0 ? '+' : '-';
  const auto seconds = static_cast<std::uint32_t>(west < 0 ? -west : west);
  to = put_two(to, seconds / 3600);
  if (seconds % 3600 == 0) return to;
  *to++ = ':';
  to = put_two(to, seconds / 60 % 60);
  if (seconds % 60 == 0) return to;
  *to++ = ':';
  return put_two(to, seconds % 60);
}

char* put_timestamp(char* to, std::int64_t microseconds, char separator,
                    std::string_view zone) noexcept {
  std::int64_t days = microseconds / day_length;
  std::int64_t time = microseconds - days * day_length;
  if (time < 0) {
    time += day_length;
    --days;
  }
  const Day date = to_calendar(days);
  to = put_day(to, date);
  *to++ = separator;
  to = put_time(to, time);
  return put_era(put_text(to, zone), date);
}

char* put_interval(char* to, std::int32_t months, std::int32_t days,
                   std::int64_t microseconds) noexcept {
  if (months == 0 && days == 0 && microseconds == 0) return put_text(to, "PT0S");
  *to++ = 'P';
  to = put_part(to, months / 12, 'Y');
  to = put_part(to, months % 12, 'M');
  to = put_part(to, days, 'D');
  if (microseconds == 0) return to;
  *to++ = 'T';
  to = put_part(to, microseconds / hour, 'H');
  to = put_part(to, microseconds % hour / minute, 'M');
  return put_seconds(to, microseconds % minute);
}

}  // namespace hydra::json
