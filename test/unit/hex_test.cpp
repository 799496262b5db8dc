#include "base/hex.hpp"

#include <gtest/gtest.h>

#include <cstdio>

namespace hydra {
namespace {

TEST(Hex, EveryByteAndLength) {
  std::string bytes;
  std::string expected;
  for (int i = 0; i < 256; ++i) {
    char text[3];
    std::snprintf(text, sizeof text, "%02x", i);
    bytes += static_cast<char>(i);
    expected += text;
    std::string room(2 * bytes.size(), '#');
    EXPECT_EQ(put_hex(room.data(), bytes.data(), bytes.size()), room.data() + room.size());
    ASSERT_EQ(room, expected);
    ASSERT_EQ(hex(bytes), expected);
  }
}

}  // namespace
}  // namespace hydra
