#include "base/pacer.hpp"

#include <gtest/gtest.h>

namespace hydra {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Pacer::Clock::time_point start{seconds(100)};

TEST(Pacer, WithoutARateNeverWaits) {
  Pacer pacer(0, start);
  EXPECT_EQ(pacer.note(1u << 30, start), milliseconds(0));
}

TEST(Pacer, WaitsUntilTheBytesWouldHavePassed) {
  Pacer pacer(1000, start);
  EXPECT_EQ(pacer.note(500, start), milliseconds(500));
  EXPECT_EQ(pacer.note(500, start + milliseconds(500)), milliseconds(500));
  EXPECT_EQ(pacer.note(500, start + milliseconds(1500)), milliseconds(0));
}

TEST(Pacer, DoesNotMakeUpForAPause) {
  Pacer pacer(1000, start);
  // An idle hour gives an allowance of one second, not of 3600.
  EXPECT_EQ(pacer.note(1000, start + seconds(3600)), milliseconds(0));
  EXPECT_EQ(pacer.note(1000, start + seconds(3600)), milliseconds(1000));
}

}  // namespace
}  // namespace hydra
