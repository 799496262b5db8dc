#include "base/timeline_history.hpp"

#include <gtest/gtest.h>

namespace hydra {

namespace {

constexpr std::string_view history =
    "1\t0/16E5D70\tno recovery target specified\n"
    "\n2\t0/3000148\tbefore 2024-05-01 00:00:00+00\n"
    "\n3\t0/4000000\tno recovery target specified\n";

}  // namespace

TEST(TimelineHistoryTest, TellsRestoresFromPromotions) {
  EXPECT_TRUE(ended_at_recovery_target(history, 1));
  EXPECT_TRUE(ended_at_recovery_target(history, 2));
  EXPECT_FALSE(ended_at_recovery_target(history, 3));
  EXPECT_FALSE(ended_at_recovery_target(history, 4));
}

TEST(TimelineHistoryTest, WhatCannotBeReadCountsAsARestore) {
  EXPECT_TRUE(ended_at_recovery_target("", 1));
  EXPECT_TRUE(ended_at_recovery_target("# no line of a timeline\nx\ty\tz\n", 1));
  EXPECT_TRUE(ended_at_recovery_target("1\t0/16E5D70", 1));
}

TEST(TimelineHistoryTest, OtherLinesArePassedOver) {
  EXPECT_FALSE(ended_at_recovery_target("# comment\n1\t0/0\tno recovery target specified\n", 1));
}

}  // namespace hydra
