#include "base/clock.hpp"

#include <chrono>
#include <cstdio>

namespace hydra {

namespace {

struct Civil {
  int year, month, day, hour, minute, second;
};

Civil civil(std::int64_t unix_seconds) {
  using namespace std::chrono;
  const sys_seconds time{seconds{unix_seconds}};
  const sys_days midnight = floor<days>(time);
  const year_month_day date{midnight};
  const hh_mm_ss clock{time - midnight};
  return {static_cast<int>(date.year()),
          static_cast<int>(static_cast<unsigned>(date.month())),
          static_cast<int>(static_cast<unsigned>(date.day())),
          static_cast<int>(clock.hours().count()),
          static_cast<int>(clock.minutes().count()),
          static_cast<int>(clock.seconds().count())};
}

// snprintf knows no locale for %d, and no time zone is involved.
template <typename... Numbers>
std::string print(const char* format, Numbers... numbers) {
  char text[96];
  const int length = std::snprintf(text, sizeof text, format, numbers...);
  return std::string(text, static_cast<std::size_t>(length));
}

}  // namespace

std::string amz_date(std::int64_t unix_seconds) {
  const Civil c = civil(unix_seconds);
  return print("%04d%02d%02dT%02d%02d%02dZ", c.year, c.month, c.day, c.hour, c.minute, c.second);
}

std::string utc_minute(std::int64_t unix_seconds) {
  const Civil c = civil(unix_seconds);
  return print("%04d%02d%02d%02d%02d", c.year, c.month, c.day, c.hour, c.minute);
}

std::string iso8601(std::int64_t unix_micros) {
  // Rounded down, also before 1970: the fraction is never negative.
  std::int64_t micros = unix_micros % 1000000;
  if (micros < 0) micros += 1000000;
  const Civil c = civil((unix_micros - micros) / 1000000);
  return print("%04d-%02d-%02dT%02d:%02d:%02d.%06dZ", c.year, c.month, c.day, c.hour, c.minute,
               c.second, static_cast<int>(micros));
}

}  // namespace hydra
