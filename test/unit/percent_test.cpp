#include "base/percent.hpp"

#include <gtest/gtest.h>

namespace hydra {
namespace {

TEST(Percent, KeepsUnreservedCharacters) {
  const std::string kept = "ABCXYZabcxyz0189-._~";
  EXPECT_EQ(percent_encode(kept), kept);
}

TEST(Percent, EncodesAllOtherBytesInCapitals) {
  EXPECT_EQ(percent_encode("a b/+=@*%"), "a%20b%2F%2B%3D%40%2A%25");
  EXPECT_EQ(percent_encode(std::string("\0\x7f\xff", 3)), "%00%7F%FF");
  EXPECT_EQ(percent_encode("\u1234"), "%E1%88%B4");
}

TEST(Percent, KeepsTheSlashesOfAPath) {
  EXPECT_EQ(encode_path("a/b c/%2D"), "a/b%20c/%252D");
}

TEST(Percent, DecodesWhatItEncodes) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte)
    all += static_cast<char>(byte);
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
}

TEST(Percent, LeavesBrokenEscapesAlone) {
  EXPECT_EQ(percent_decode("%4%zz%41%"), "%4%zzA%");
}

}  // namespace
}  // namespace hydra
