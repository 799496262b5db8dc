#include "base/ascii.hpp"

#include <gtest/gtest.h>

namespace hydra {
namespace {

TEST(Ascii, ClassesEndWhereTheyShould) {
  for (const char c : std::string("/:@G`g{")) {
    EXPECT_FALSE(is_digit(c)) << c;
    EXPECT_EQ(is_letter(c), c == 'G' || c == 'g') << c;
  }
  for (const char c : std::string("09"))
    EXPECT_TRUE(is_digit(c)) << c;
  for (const char c : std::string("az"))
    EXPECT_TRUE(is_lower(c) && is_letter(c) && !is_upper(c)) << c;
  for (const char c : std::string("AZ"))
    EXPECT_TRUE(is_upper(c) && is_letter(c) && !is_lower(c)) << c;
  EXPECT_FALSE(is_letter('\xe9')) << "other bytes than ASCII are none";
}

TEST(Ascii, LowerCaseLeavesOtherBytesAlone) {
  EXPECT_EQ(to_lower("AZ az 09 @[ \xc3\x89"), "az az 09 @[ \xc3\x89");
}

}  // namespace
}  // namespace hydra
