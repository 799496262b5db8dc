#include "s3/give_up_rule.hpp"

#include <gtest/gtest.h>

namespace hydra::s3 {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

Failure failure(Action action, const char* code) {
  Failure failure;
  failure.action = action;
  failure.code = code;
  return failure;
}

TEST(GiveUpRule, EndsAtOnceWhereEveryObjectWouldFail) {
  GiveUpRule rule;
  EXPECT_EQ(rule.failed(failure(Action::stop, "AccessDenied")), "");
  EXPECT_EQ(rule.failed(failure(Action::fix, "ExpiredToken")), "");
}

TEST(GiveUpRule, EndsAfterSeveralFailuresForOneReason) {
  GiveUpRule rule;
  const Failure busy = failure(Action::retry, "SlowDown");
  EXPECT_EQ(rule.failed(busy), std::nullopt);
  EXPECT_EQ(rule.failed(busy), std::nullopt);
  EXPECT_EQ(rule.failed(busy), " (3 objects in a row)");
}

TEST(GiveUpRule, CountsAnewAfterASuccessOrAnotherReason) {
  GiveUpRule rule;
  const Failure busy = failure(Action::retry, "SlowDown");
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(rule.failed(busy), std::nullopt);
    EXPECT_EQ(rule.failed(busy), std::nullopt);
    if (i % 2 == 0) {
      rule.succeeded();
    } else {
      EXPECT_EQ(rule.failed(failure(Action::retry, "InternalError")), std::nullopt);
    }
  }
}

class Silence : public testing::Test {
 protected:
  void SetUp() override { rule_.silence(start_, start_); }

  // Handles the uploads periodically until this time, and at it.
  std::optional<seconds> look_until(milliseconds time) {
    while (now_ + GiveUpRule::longest_turn < start_ + time) {
      now_ += GiveUpRule::longest_turn;
      rule_.silence(start_, now_);
    }
    now_ = start_ + time;
    return rule_.silence(start_, now_);
  }

  GiveUpRule rule_;
  const GiveUpRule::Clock::time_point start_ = GiveUpRule::Clock::now();
  GiveUpRule::Clock::time_point now_ = start_;
};

TEST_F(Silence, IsWaitedForWhereThereIsNoLimit) {
  EXPECT_EQ(look_until(seconds(1000)), std::nullopt);
}

TEST_F(Silence, EndsAtTheLimit) {
  rule_.limit_silence(seconds(60));
  EXPECT_EQ(look_until(milliseconds(59999)), std::nullopt);
  EXPECT_EQ(look_until(seconds(60)), seconds(60));
}

TEST_F(Silence, IsNoneWhereUploadsMoveOn) {
  rule_.limit_silence(seconds(60));
  look_until(seconds(59));
  EXPECT_EQ(rule_.silence(std::nullopt, start_ + seconds(61)), std::nullopt);
  EXPECT_EQ(rule_.silence(start_ + seconds(61), start_ + seconds(62)), std::nullopt);
}

TEST_F(Silence, CountsFromWhereTheProcessLookedAgain) {
  rule_.limit_silence(seconds(60));
  look_until(seconds(30));
  // Sorting, for example, took so long that nothing was sent.
  EXPECT_EQ(rule_.silence(start_, start_ + seconds(100)), std::nullopt);
  now_ = start_ + seconds(100);
  EXPECT_EQ(look_until(milliseconds(159999)), std::nullopt);
  EXPECT_EQ(look_until(seconds(160)), seconds(60));
}

}  // namespace
}  // namespace hydra::s3
