#include "calendar/start_window.hpp"

#include <gtest/gtest.h>

namespace hydra::calendar {
namespace {

constexpr std::int64_t minute = 60'000'000;
constexpr std::int64_t day = 1440 * minute;

// Minutes since the epoch, as the window sees them.
std::int64_t next(const char* window, std::int64_t minutes) {
  return next_start(*parse_start_window(window), minutes * minute) / minute;
}

TEST(StartWindow, ReadsTimesOfDay) {
  const auto window = parse_start_window("22:30-04:05");
  ASSERT_TRUE(window);
  EXPECT_EQ(window->from, 22 * 60 + 30);
  EXPECT_EQ(window->to, 4 * 60 + 5);
  EXPECT_TRUE(parse_start_window("00:00-24:00"));
}

TEST(StartWindow, RefusesOtherTexts) {
  for (const char* text : {"1:00-2:00", "01:00", "01:00-", "01:00-02:60", "25:00-02:00",
                           "24:00-02:00", "24:01-02:00", "01:00-01:00", "01:00-02:00 ",
                           "01:00_02:00", "aa:00-02:00", "-1:00-02:00", "01.00-02.00"}) {
    EXPECT_FALSE(parse_start_window(text)) << text;
  }
}

TEST(StartWindow, IsTheWholeDayWhenEmpty) {
  for (const std::int64_t at : {std::int64_t{-5}, std::int64_t{0}, day - 1, day, 123456 * minute})
    EXPECT_EQ(next_start(*parse_start_window(""), at), at);
}

TEST(StartWindow, LeavesTimesInsideAlone) {
  EXPECT_EQ(next("01:00-02:00", 60), 60);
  EXPECT_EQ(next("01:00-02:00", 119), 119);
  EXPECT_EQ(next("23:00-01:00", 1439), 1439);
  EXPECT_EQ(next("23:00-01:00", 0), 0);
  const auto window = *parse_start_window("01:00-02:00");
  EXPECT_EQ(next_start(window, 120 * minute - 1), 120 * minute - 1);
}

TEST(StartWindow, MovesOthersToTheNextOpening) {
  EXPECT_EQ(next("01:00-02:00", 0), 60);
  EXPECT_EQ(next("01:00-02:00", 120), 1440 + 60);
  EXPECT_EQ(next("01:00-02:00", 1439), 1440 + 60);
  EXPECT_EQ(next("23:00-01:00", 60), 1380);
  EXPECT_EQ(next("23:00-01:00", 1379), 1380);
  EXPECT_EQ(next("22:00-24:00", 1440), 1440 + 1320);
  EXPECT_EQ(next("01:00-02:00", -1), 60);
}

}  // namespace
}  // namespace hydra::calendar
