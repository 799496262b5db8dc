#include "change/block_dispenser.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace hydra::change {
namespace {

constexpr std::uint32_t most_blocks = 0xFFFFFFFE;

TEST(BlockDispenser, GivesOneReaderTheWholeTable) {
  BlockDispenser dispenser(most_blocks, 1);
  const BlockRun run = dispenser.next();
  EXPECT_EQ(run.first, 0u);
  EXPECT_EQ(run.count, most_blocks);
  EXPECT_EQ(dispenser.next().count, 0u);
}

TEST(BlockDispenser, GivesNothingOfAnEmptyTable) {
  EXPECT_EQ(BlockDispenser(0, 1).next().count, 0u);
  EXPECT_EQ(BlockDispenser(0, 3).next().count, 0u);
}

TEST(BlockDispenser, GivesEveryBlockOnceAndInOrder) {
  for (const std::uint32_t blocks : {1u, 31u, 32u, 33u, 100000u, 1000001u, most_blocks}) {
    BlockDispenser dispenser(blocks, 2);
    std::uint64_t expected = 0;
    for (BlockRun run = dispenser.next(); run.count > 0; run = dispenser.next()) {
      ASSERT_EQ(run.first, expected);
      expected += run.count;
    }
    EXPECT_EQ(expected, blocks);
    // Readers ask until no blocks are left.
    for (int i = 0; i < 100; ++i)
      EXPECT_EQ(dispenser.next().count, 0u);
  }
}

TEST(BlockDispenser, GivesEveryBlockOnceToSeveralReaders) {
  constexpr std::uint32_t blocks = 500000;
  BlockDispenser dispenser(blocks, 4);
  std::vector<int> given(blocks, 0);
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 4; ++i) {
      readers.emplace_back([&] {
        for (BlockRun run = dispenser.next(); run.count > 0; run = dispenser.next()) {
          for (std::uint32_t j = 0; j < run.count; ++j)
            ++given[run.first + j];
        }
      });
    }
  }
  EXPECT_EQ(std::count(given.begin(), given.end(), 1), blocks);
}

}  // namespace
}  // namespace hydra::change
