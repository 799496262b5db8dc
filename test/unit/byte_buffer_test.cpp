#include "base/byte_buffer.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <utility>

namespace hydra {
namespace {

void append(ByteBuffer& buffer, const std::string& text) {
  ASSERT_TRUE(buffer.reserve(text.size()));
  buffer.append_reserved(text.data(), text.size());
}

std::string contents(const ByteBuffer& buffer) {
  return std::string(buffer.data(), buffer.size());
}

TEST(ByteBuffer, KeepsItsContentsWhileGrowing) {
  ByteBuffer buffer;
  std::string expected;
  for (int i = 0; i < 20000; ++i) {
    append(buffer, std::to_string(i));
    expected += std::to_string(i);
  }
  EXPECT_EQ(contents(buffer), expected);
}

TEST(ByteBuffer, GrowsByHalfAtTheMost) {
  ByteBuffer buffer;
  const std::string block(1000, 'x');
  for (int i = 0; i < 20000; ++i) {
    append(buffer, block);
    if (buffer.size() > 8192) {
      ASSERT_LE(buffer.capacity(), buffer.size() + buffer.size() / 2);
    }
  }
}

TEST(ByteBuffer, StopsAtWhatItIsMadeFor) {
  constexpr std::size_t full = 20 * 1000 * 1000;
  constexpr std::size_t huge_page = 2 * 1024 * 1024;
  ByteBuffer buffer(full);
  while (buffer.size() < full) {
    ASSERT_TRUE(buffer.reserve(1000));
    buffer.advance(1000);
  }
  EXPECT_LT(buffer.capacity(), full + huge_page);
  ASSERT_TRUE(buffer.reserve(2 * huge_page));
  EXPECT_GT(buffer.capacity(), full + huge_page);
}

TEST(ByteBuffer, GrowsRarely) {
  ByteBuffer buffer;
  int growths = 0;
  for (int i = 0; i < 1000000; ++i) {
    const std::size_t before = buffer.capacity();
    ASSERT_TRUE(buffer.reserve(1));
    buffer.advance(1);
    growths += buffer.capacity() != before;
  }
  EXPECT_LT(growths, 20);
}

TEST(ByteBuffer, SaysWhenMemoryIsOutAndKeepsWhatItHas) {
  ByteBuffer buffer;
  append(buffer, "kept");
  EXPECT_FALSE(buffer.reserve(SIZE_MAX));
  EXPECT_FALSE(buffer.reserve(SIZE_MAX / 2 - 100));
  EXPECT_EQ(contents(buffer), "kept");
}

TEST(ByteBuffer, IsWrittenAtItsEnd) {
  ByteBuffer buffer;
  append(buffer, "abc");
  ASSERT_TRUE(buffer.reserve(2));
  buffer.end()[0] = 'd';
  buffer.advance(1);
  EXPECT_EQ(contents(buffer), "abcd");
  buffer.truncate(2);
  EXPECT_EQ(contents(buffer), "ab");
  const std::size_t capacity = buffer.capacity();
  buffer.truncate(0);
  EXPECT_EQ(buffer.capacity(), capacity);
}

TEST(ByteBuffer, HasAnAddressAfterReservingNothing) {
  ByteBuffer buffer;
  ASSERT_TRUE(buffer.reserve(0));
  EXPECT_NE(buffer.data(), nullptr);
}

TEST(ByteBuffer, Moves) {
  ByteBuffer a;
  append(a, "abc");
  ByteBuffer b = std::move(a);
  EXPECT_EQ(contents(b), "abc");
  ByteBuffer c;
  append(c, "gone");
  c = std::move(b);
  EXPECT_EQ(contents(c), "abc");
  c.release();
  EXPECT_EQ(c.size(), 0u);
  EXPECT_EQ(c.capacity(), 0u);
}

}  // namespace
}  // namespace hydra
