#include "bucket/folder.hpp"

#include <charconv>
#include <chrono>
#include <stdexcept>

#include "base/clock.hpp"

namespace hydra::bucket {

namespace {

constexpr std::size_t minute_digits = 12;
constexpr int last_suffix = 999;

int number(std::string_view digits) {
  int value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || digits[0] == '-')
    throw std::runtime_error("the name of an export's folder is not a minute");
  return value;
}

std::chrono::sys_time<std::chrono::minutes> parse_minute(std::string_view minute) {
  using namespace std::chrono;
  if (minute.size() != minute_digits)
    throw std::runtime_error("the name of an export's folder is not a minute");
  const year_month_day date{year{number(minute.substr(0, 4))},
                            month(static_cast<unsigned>(number(minute.substr(4, 2)))),
                            day(static_cast<unsigned>(number(minute.substr(6, 2))))};
  const int hour = number(minute.substr(8, 2));
  const int minutes_past = number(minute.substr(10, 2));
  if (!date.ok() || hour > 23 || minutes_past > 59)
    throw std::runtime_error("the name of an export's folder is not a minute");
  return sys_days{date} + hours{hour} + minutes{minutes_past};
}

std::string minute_after(std::string_view minute) {
  const auto next = parse_minute(minute) + std::chrono::minutes{1};
  return utc_minute(std::chrono::seconds{next.time_since_epoch()}.count());
}

// 1 for a folder without a suffix, as it is the minute's first.
int suffix_of(std::string_view folder) {
  const std::string_view rest = folder.substr(minute_digits);
  if (rest.empty()) return 1;
  if (rest.size() != 4 || rest[0] != '_')
    throw std::runtime_error("the name of an export's folder has a wrong suffix");
  return number(rest.substr(1));
}

}  // namespace

std::string next_folder(std::string_view minute_now, std::string_view last_folder) {
  parse_minute(minute_now);
  if (last_folder.empty()) return std::string(minute_now);

  const std::string_view last_minute = last_folder.substr(0, minute_digits);
  parse_minute(last_minute);
  const int suffix = suffix_of(last_folder);
  if (minute_now > last_minute) return std::string(minute_now);
  if (suffix >= last_suffix) return minute_after(last_minute);

  const std::string digits = std::to_string(suffix + 1);
  return std::string(last_minute) + '_' + std::string(3 - digits.size(), '0') + digits;
}

}  // namespace hydra::bucket
