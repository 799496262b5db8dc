#include "bucket/folder.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

namespace hydra::bucket {
namespace {

TEST(Folder, IsTheMinuteWhenThatIsNew) {
  EXPECT_EQ(next_folder("201601310400", ""), "201601310400");
  EXPECT_EQ(next_folder("201601310401", "201601310400"), "201601310401");
  EXPECT_EQ(next_folder("201601310401", "201601310400_017"), "201601310401");
}

TEST(Folder, GetsASuffixWithinTheSameMinute) {
  EXPECT_EQ(next_folder("201601310400", "201601310400"), "201601310400_002");
  EXPECT_EQ(next_folder("201601310400", "201601310400_002"), "201601310400_003");
  EXPECT_EQ(next_folder("201601310400", "201601310400_099"), "201601310400_100");
}

TEST(Folder, GoesOnFromTheLastOneWhenTheClockWasSetBack) {
  EXPECT_EQ(next_folder("201512312359", "201601310400"), "201601310400_002");
}

TEST(Folder, TakesTheNextMinuteAfterTheLastSuffix) {
  EXPECT_EQ(next_folder("201601310400", "201601310400_999"), "201601310401");
  EXPECT_EQ(next_folder("201601310400", "201612312359_999"), "201701010000");
  EXPECT_EQ(next_folder("201601310400", "201601310401"), "201601310401_002");
}

// Readers rely on this: a listing of the bucket returns the exports in order, even if the clock was
// set back.
TEST(Folder, KeysSortInTheOrderOfExports) {
  const std::vector<std::string> minutes = {"201602292358", "201602292359", "201601010000",
                                            "201603010000"};
  std::string last;
  for (int i = 0; i < 5000; ++i) {
    const std::string folder = next_folder(minutes[static_cast<std::size_t>(i) / 1250], last);
    if (!last.empty()) {
      // The least key of the later export against the greatest of the earlier one.
      ASSERT_LT(last + "/~~~", folder + "/%") << "export " << i;
      ASSERT_LT(last + "/~~~", folder + "/_manifest.json");
    }
    last = folder;
  }
}

TEST(Folder, RefusesWhatIsNoFolder) {
  for (const char* bad : {"2016", "201613010000", "201601012400", "20160131040x", "201601310400_1",
                          "201601310400-002", "201601310400_0x2", "201602300000"}) {
    EXPECT_THROW(next_folder("201601310400", bad), std::runtime_error) << bad;
  }
  EXPECT_THROW(next_folder("", ""), std::runtime_error);
}

}  // namespace
}  // namespace hydra::bucket
