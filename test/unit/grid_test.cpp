#include "calendar/grid.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace hydra::calendar {
namespace {

constexpr std::int64_t hour = 3600000000;
constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();

TEST(Grid, TheNextPointIsStrictlyLater) {
  EXPECT_EQ(next_grid_point(100, 10, 100), 110);
  EXPECT_EQ(next_grid_point(100, 10, 101), 110);
  EXPECT_EQ(next_grid_point(100, 10, 109), 110);
  EXPECT_EQ(next_grid_point(100, 10, 110), 120);
}

TEST(Grid, ReachesBackBeforeTheAnchor) {
  EXPECT_EQ(next_grid_point(100, 10, 99), 100);
  EXPECT_EQ(next_grid_point(100, 10, 90), 100);
  EXPECT_EQ(next_grid_point(100, 10, 89), 90);
  EXPECT_EQ(next_grid_point(100, 10, -101), -100);
}

TEST(Grid, DoesNotDrift) {
  std::int64_t time = 0;
  for (int i = 0; i < 1000; ++i)
    time = next_grid_point(7, 24 * hour, time + 1234567);
  EXPECT_EQ((time - 7) % (24 * hour), 0);
}

TEST(Grid, SurvivesTheEndsOfTime) {
  EXPECT_EQ(next_grid_point(least, hour, most), most);
  EXPECT_EQ(next_grid_point(most, hour, most), most);
  const std::int64_t first = next_grid_point(most, hour, least);
  EXPECT_GT(first, least);
  EXPECT_LE(first, least + hour);
}

TEST(DueAgain, CountsFromGridPointToGridPoint) {
  const std::int64_t day = 24 * hour, anchor = 5 * hour;
  // The first was late, the second is on time.
  EXPECT_TRUE(is_due_again(anchor + 700000, anchor + day + 1, day, hour, anchor, day));
  EXPECT_TRUE(is_due_again(anchor + hour, anchor + day, day, hour, anchor, day));
  EXPECT_FALSE(is_due_again(anchor, anchor + day - 1, day, hour, anchor, day));
  EXPECT_FALSE(is_due_again(anchor + 1, anchor + 20 * hour + 9, day, hour, anchor, 10 * hour));
  EXPECT_TRUE(is_due_again(anchor + 1, anchor + 30 * hour, day, hour, anchor, 10 * hour));
  EXPECT_TRUE(is_due_again(anchor - 3 * day, anchor + 1, day, hour, anchor, day));
}

TEST(DueAgain, WithoutAGridIsAMinuteEarly) {
  EXPECT_TRUE(is_due_again(100, 100 + hour - hour / 60, hour, hour, std::nullopt, hour));
  EXPECT_FALSE(is_due_again(100, 100 + hour - hour / 60 - 1, hour, hour, std::nullopt, hour));
}

TEST(RetryDelay, DoublesUpToThePeriod) {
  EXPECT_EQ(retry_delay(60, 1, 86400), 60);
  EXPECT_EQ(retry_delay(60, 2, 86400), 120);
  EXPECT_EQ(retry_delay(60, 11, 86400), 61440);
  EXPECT_EQ(retry_delay(60, 12, 86400), 86400);
  EXPECT_EQ(retry_delay(60, std::numeric_limits<int>::max(), 86400), 86400);
  EXPECT_EQ(retry_delay(60, 1, 30), 30);
}

TEST(RetryDelay, DoesNotOverflow) {
  EXPECT_EQ(retry_delay(1, 64, most), most);
  EXPECT_EQ(retry_delay(most, 5, most), most);
}

}  // namespace
}  // namespace hydra::calendar
