#include "base/buffer_pool.hpp"

#include <gtest/gtest.h>

#include <utility>

namespace hydra {
namespace {

constexpr std::size_t size = 1000 * 1000;

ByteBuffer filled(std::size_t n) {
  ByteBuffer buffer;
  EXPECT_TRUE(buffer.reserve(n));
  buffer.advance(n);
  return buffer;
}

TEST(BufferPool, GivesKeptBlocksOutEmpty) {
  BufferPool pool(size, 1);
  ByteBuffer buffer = filled(size);
  const char* block = buffer.data();
  pool.give(std::move(buffer));
  ByteBuffer next = pool.take();
  EXPECT_EQ(next.data(), block);
  EXPECT_EQ(next.size(), 0U);
  EXPECT_GE(next.capacity(), size);
}

TEST(BufferPool, GivesAnEmptyBufferWhereNoneIsKept) {
  BufferPool pool(size, 1);
  EXPECT_EQ(pool.take().capacity(), 0U);
}

TEST(BufferPool, MakesBuffersThatStopGrowingAtItsSize) {
  constexpr std::size_t large = 64 * 1024 * 1024;
  BufferPool pool(large, 1);
  ByteBuffer buffer = pool.take();
  for (std::size_t n = 0; n <= large; n += 4096) {
    ASSERT_TRUE(buffer.reserve(4096));
    buffer.advance(4096);
  }
  EXPECT_LT(buffer.capacity(), large + large / 16);
}

TEST(BufferPool, KeepsNeitherSmallNorHugeBlocks) {
  BufferPool pool(size, 3);
  pool.give(ByteBuffer());
  pool.give(filled(size / 2));
  pool.give(filled(3 * size));
  EXPECT_EQ(pool.take().capacity(), 0U);
}

TEST(BufferPool, KeepsNoMoreThanItMay) {
  BufferPool pool(size, 2);
  for (int i = 0; i < 3; ++i)
    pool.give(filled(size));
  EXPECT_GT(pool.take().capacity(), 0U);
  EXPECT_GT(pool.take().capacity(), 0U);
  EXPECT_EQ(pool.take().capacity(), 0U);
}

}  // namespace
}  // namespace hydra
