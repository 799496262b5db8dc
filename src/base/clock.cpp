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

// snprintf's %d depends neither on the locale nor on the time zone.
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

std::optional<std::int64_t> parse_iso8601(const std::string& text) {
  using namespace std::chrono;
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
  if (std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &year, &month, &day, &hour, &minute,
                  &second, &used) != 6)
    return std::nullopt;
  std::size_t at = static_cast<std::size_t>(used);
  if (at < text.size() && text[at] == '.') at = text.find_first_not_of("0123456789", at + 1);
  const std::string zone = at < text.size() ? text.substr(at) : "";
  int east_hours = 0, east_minutes = 0;
  const bool offset = zone.size() == 6 && (zone[0] == '+' || zone[0] == '-') &&
                      std::sscanf(zone.c_str() + 1, "%2d:%2d", &east_hours, &east_minutes) == 2;
  if (!offset && zone != "Z") return std::nullopt;
  const year_month_day date{std::chrono::year(year),
                            std::chrono::month(static_cast<unsigned>(month)),
                            std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return std::nullopt;
  const int east = (east_hours * 60 + east_minutes) * (zone[0] == '-' ? -60 : 60);
  const std::int64_t midnight = sys_days(date).time_since_epoch().count() * std::int64_t{86400};
  return midnight + hour * 3600 + minute * 60 + second - east;
}

}  // namespace hydra
