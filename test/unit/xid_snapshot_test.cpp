#include "change/xid_snapshot.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace hydra::change {
namespace {

constexpr FullXid epoch = FullXid{1} << 32;

TEST(Widen, TakesTheNewestIdThatIsNotAfterNext) {
  EXPECT_EQ(widen(100, 200), 100u);
  EXPECT_EQ(widen(200, 200), 200u);
  EXPECT_EQ(widen(100, epoch + 200), epoch + 100);
  // These low bits are still to come in this epoch, so the id is of the previous one.
  EXPECT_EQ(widen(300, epoch + 200), 300u);
  EXPECT_EQ(widen(0xFFFFFFF0, 2 * epoch + 5), epoch + 0xFFFFFFF0);
}

TEST(XidSnapshot, SawWhatHadEnded) {
  const XidSnapshot snapshot(100, 110, {103, 105});
  EXPECT_TRUE(snapshot.saw(99));
  EXPECT_TRUE(snapshot.saw(100));
  EXPECT_FALSE(snapshot.saw(103));
  EXPECT_TRUE(snapshot.saw(104));
  EXPECT_FALSE(snapshot.saw(105));
  EXPECT_TRUE(snapshot.saw(109));
  EXPECT_FALSE(snapshot.saw(110));
  EXPECT_FALSE(snapshot.saw(1000));
}

TEST(XidSnapshot, SortsAndDropsWhatAPgSnapshotRefuses) {
  // Subtransactions come unsorted, twice, and with ids from xmax on.
  const XidSnapshot snapshot(100, 110, {108, 103, 110, 103, 250, 99});
  EXPECT_EQ(snapshot.text(), "100:110:103,108");
}

TEST(XidSnapshot, OverflowedSawNothingFromXminOn) {
  const XidSnapshot snapshot = XidSnapshot::overflowed(100);
  EXPECT_EQ(snapshot.text(), "100:100:");
  EXPECT_TRUE(snapshot.saw(99));
  EXPECT_FALSE(snapshot.saw(100));
}

TEST(XidSnapshot, TextComesBack) {
  for (const char* text :
       {"100:100:", "100:110:", "100:110:100", "5000000000:5000000010:5000000003,5000000004"}) {
    EXPECT_EQ(XidSnapshot::parse(text).text(), text);
  }
}

TEST(XidSnapshot, RefusesOtherText) {
  for (const char* text : {"", "x", "1", "1:x:", "1:5:2;3", "1:5:2,x"}) {
    EXPECT_THROW(XidSnapshot::parse(text), std::invalid_argument) << text;
  }
}

TEST(IsChanged, JudgesByTheWriter) {
  const XidSnapshot baseline(epoch + 100, epoch + 110, {epoch + 105});
  const FullXid next = epoch + 200;
  EXPECT_FALSE(is_changed(99, baseline, next));
  EXPECT_TRUE(is_changed(105, baseline, next));
  EXPECT_TRUE(is_changed(150, baseline, next));
  // Written in the epoch before.
  EXPECT_FALSE(is_changed(300, baseline, next));
  // The reserved ids.
  for (std::uint32_t raw : {0u, 1u, 2u})
    EXPECT_FALSE(is_changed(raw, XidSnapshot(3, 3, {}), next));
}

}  // namespace
}  // namespace hydra::change
