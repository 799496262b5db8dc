#include "json/datetime.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <random>
#include <string>

namespace hydra::json {
namespace {

constexpr std::int64_t second = 1000000;
constexpr std::int64_t day_length = 86400 * second;

// Sentinels after the room show writes outside of it.
template <std::size_t N, typename Put>
std::string run(Put&& put) {
  char room[N + 8];
  std::fill(room, room + N + 8, '#');
  const char* end = put(room);
  for (std::size_t i = N; i < N + 8; ++i)
    EXPECT_EQ(room[i], '#');
  return std::string(room, static_cast<std::size_t>(end - room));
}

std::string date(std::int32_t day) {
  return run<max_date_size>([=](char* to) { return put_date(to, day); });
}

std::string moment(std::int64_t time, char separator = 'T', std::string_view zone = "") {
  return run<max_timestamp_size>(
      [=](char* to) { return put_timestamp(to, time, separator, zone); });
}

std::string time_of_day(std::int64_t time) {
  return run<max_time_size>([=](char* to) { return put_time(to, time); });
}

std::string zoned(std::int64_t time, std::int32_t west) {
  return run<max_time_size>([=](char* to) { return put_zoned_time(to, time, west); });
}

std::string interval(std::int32_t months, std::int32_t days, std::int64_t time) {
  return run<max_interval_size>([=](char* to) { return put_interval(to, months, days, time); });
}

// The calendar, computed day by day.
struct Calendar {
  int year, month = 1, day = 1;

  bool leap() const {
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;  // of the year 0 and before, too
  }
  void next() {
    static constexpr int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const int length = lengths[month - 1] + (month == 2 && leap() ? 1 : 0);
    if (++day <= length) return;
    day = 1;
    if (++month <= 12) return;
    month = 1;
    ++year;
  }
  std::string text() const {
    char text[32];
    const int shown = year > 0 ? year : 1 - year;
    std::snprintf(text, sizeof text, "%04d-%02d-%02d%s", shown, month, day, year > 0 ? "" : " BC");
    return text;
  }
};

TEST(Datetime, EveryDayOfNineCenturies) {
  Calendar calendar{-400};
  for (std::int32_t day = -876582; calendar.year < 500; ++day, calendar.next())
    ASSERT_EQ(date(day), calendar.text()) << day;
  Calendar later{2000};
  for (std::int32_t day = 0; later.year < 2401; ++day, later.next())
    ASSERT_EQ(date(day), later.text()) << day;
}

TEST(Datetime, TheLimitsOfDate) {
  EXPECT_EQ(date(0), "2000-01-01");
  EXPECT_EQ(date(-2451545), "4714-11-24 BC");
  EXPECT_EQ(date(2145031948), "5874897-12-31");
}

TEST(Datetime, Timestamps) {
  EXPECT_EQ(moment(0), "2000-01-01T00:00:00");
  EXPECT_EQ(moment(-1, ' '), "1999-12-31 23:59:59.999999");
  EXPECT_EQ(moment(500000, 'T', "+00:00"), "2000-01-01T00:00:00.5+00:00");
  EXPECT_EQ(moment(-730120 * day_length, 'T', "+00:00"), "0001-12-31T00:00:00+00:00 BC");
  EXPECT_EQ(moment(9223371331199999999), "294276-12-31T23:59:59.999999");
  EXPECT_EQ(moment(-211813488000000000), "4714-11-24T00:00:00 BC");
}

TEST(Datetime, ATimestampIsADateAndATime) {
  std::mt19937_64 random(7);
  std::uniform_int_distribution<std::int64_t> any(-211813488000000000, 9223371331199999999);
  for (int i = 0; i < 100000; ++i) {
    const std::int64_t value = any(random);
    std::int64_t day = value / day_length;
    if (value % day_length < 0) --day;
    std::string expected = date(static_cast<std::int32_t>(day));
    const std::size_t era = expected.find(" BC");
    const std::size_t at = era == std::string::npos ? expected.size() : era;
    expected.insert(at, "T" + time_of_day(value - day * day_length));
    ASSERT_EQ(moment(value), expected);
  }
}

TEST(Datetime, Times) {
  EXPECT_EQ(time_of_day(0), "00:00:00");
  EXPECT_EQ(time_of_day(day_length), "24:00:00");
  EXPECT_EQ(time_of_day(day_length - 1), "23:59:59.999999");
  EXPECT_EQ(time_of_day(3661 * second + 120000), "01:01:01.12");
  EXPECT_EQ(zoned(0, 0), "00:00:00+00");
  EXPECT_EQ(zoned(0, -7200), "00:00:00+02");
  EXPECT_EQ(zoned(0, 12600), "00:00:00-03:30");
  EXPECT_EQ(zoned(0, -1), "00:00:00+00:00:01");
  EXPECT_EQ(zoned(1, 57599), "00:00:00.000001-15:59:59");
}

TEST(Datetime, Intervals) {
  EXPECT_EQ(interval(0, 0, 0), "PT0S");
  EXPECT_EQ(interval(14, 3, 14706 * second + 700000), "P1Y2M3DT4H5M6.7S");
  EXPECT_EQ(interval(-14, -3, -14706 * second - 700000), "P-1Y-2M-3DT-4H-5M-6.7S");
  EXPECT_EQ(interval(0, 0, -1), "PT-0.000001S");
  EXPECT_EQ(interval(12, 0, 60 * second), "P1YT1M");
  EXPECT_EQ(interval(INT32_MIN, INT32_MIN, INT64_MIN),
            "P-178956970Y-8M-2147483648DT-2562047788H-54.775808S");
}

}  // namespace
}  // namespace hydra::json
