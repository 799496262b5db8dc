#include "base/backoff.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace hydra {
namespace {

using std::chrono::milliseconds;

TEST(Backoff, TheBoundDoublesUpToTheCap) {
  const Backoff backoff(milliseconds{200}, milliseconds{20000}, 1);
  EXPECT_EQ(backoff.bound(1), milliseconds{200});
  EXPECT_EQ(backoff.bound(2), milliseconds{400});
  EXPECT_EQ(backoff.bound(7), milliseconds{12800});
  EXPECT_EQ(backoff.bound(8), milliseconds{20000});
  EXPECT_EQ(backoff.bound(std::numeric_limits<int>::max()), milliseconds{20000});
}

TEST(Backoff, WaitsAreSpreadOverTheWholeRange) {
  Backoff backoff(milliseconds{1000}, milliseconds{20000}, 1);
  bool low = false, high = false;
  for (int i = 0; i < 1000; ++i) {
    const milliseconds wait = backoff.delay(2);
    ASSERT_GE(wait, milliseconds{0});
    ASSERT_LE(wait, milliseconds{2000});
    low |= wait < milliseconds{200};
    high |= wait > milliseconds{1800};
  }
  EXPECT_TRUE(low && high);
}

TEST(Backoff, ASeedGivesTheSameWaits) {
  Backoff a(milliseconds{200}, milliseconds{20000}, 7),
      b(milliseconds{200}, milliseconds{20000}, 7);
  for (int i = 1; i < 20; ++i)
    EXPECT_EQ(a.delay(i), b.delay(i));
}

}  // namespace
}  // namespace hydra
