#include "base/counted.hpp"

#include <gtest/gtest.h>

namespace hydra {
namespace {

TEST(Counted, OneIsSingular) {
  EXPECT_EQ(counted(0, "row"), "0 rows");
  EXPECT_EQ(counted(1, "row"), "1 row");
  EXPECT_EQ(counted(2, "row"), "2 rows");
  EXPECT_EQ(counted(18446744073709551615u, "object"), "18446744073709551615 objects");
}

}  // namespace
}  // namespace hydra
