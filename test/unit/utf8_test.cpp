#include "base/utf8.hpp"

#include <gtest/gtest.h>

namespace hydra {
namespace {

TEST(Utf8, AcceptsCharactersOfAllLengths) {
  EXPECT_TRUE(is_utf8("a\u00e9\u20ac\U0001f600"));
}

TEST(Utf8, RefusesWhatRfc3629Excludes) {
  for (const char* bad :
       {"\x80", "\xc3", "\xc0\xaf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff", "\xe2\x82", "\xc3("}) {
    EXPECT_FALSE(is_utf8(bad)) << bad;
  }
}

TEST(Utf8, WritesWhatItReads) {
  std::string text;
  for (std::uint32_t point : {0x41u, 0xe9u, 0x20acu, 0x1f600u})
    append_utf8(text, point);
  EXPECT_EQ(text, "A\u00e9\u20ac\U0001f600");
  append_utf8(text, 0xd800);
  append_utf8(text, 0x110000);
  EXPECT_TRUE(text.ends_with("\U0001f600"));
}

TEST(Utf8, KnowsControlCharacters) {
  EXPECT_TRUE(begins_with_control("\x1f"));
  EXPECT_TRUE(begins_with_control("\x7f"));
  EXPECT_TRUE(begins_with_control("\u0085"));
  EXPECT_FALSE(begins_with_control(" "));
  EXPECT_FALSE(begins_with_control("\u00a0"));
}

}  // namespace
}  // namespace hydra
