#include "change/block_deal.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace hydra::change {
namespace {

constexpr std::uint32_t most_blocks = 0xFFFFFFFE;

TEST(BlockDeal, GivesOneReaderTheWholeTable) {
  BlockDeal deal(most_blocks, 1);
  const BlockRun run = deal.next();
  EXPECT_EQ(run.first, 0u);
  EXPECT_EQ(run.count, most_blocks);
  EXPECT_EQ(deal.next().count, 0u);
}

TEST(BlockDeal, GivesNothingOfAnEmptyTable) {
  EXPECT_EQ(BlockDeal(0, 1).next().count, 0u);
  EXPECT_EQ(BlockDeal(0, 3).next().count, 0u);
}

TEST(BlockDeal, DealsEveryBlockOnceAndInOrder) {
  for (const std::uint32_t blocks : {1u, 31u, 32u, 33u, 100000u, 1000001u, most_blocks}) {
    BlockDeal deal(blocks, 2);
    std::uint64_t expected = 0;
    for (BlockRun run = deal.next(); run.count > 0; run = deal.next()) {
      ASSERT_EQ(run.first, expected);
      expected += run.count;
    }
    EXPECT_EQ(expected, blocks);
    // Readers keep asking until they hear that there is no more.
    for (int i = 0; i < 100; ++i)
      EXPECT_EQ(deal.next().count, 0u);
  }
}

TEST(BlockDeal, DealsEveryBlockOnceToSeveralReaders) {
  constexpr std::uint32_t blocks = 500000;
  BlockDeal deal(blocks, 4);
  std::vector<int> dealt(blocks, 0);
  {
    std::vector<std::jthread> readers;
    for (int i = 0; i < 4; ++i) {
      readers.emplace_back([&] {
        for (BlockRun run = deal.next(); run.count > 0; run = deal.next()) {
          for (std::uint32_t j = 0; j < run.count; ++j)
            ++dealt[run.first + j];
        }
      });
    }
  }
  EXPECT_EQ(std::count(dealt.begin(), dealt.end(), 1), blocks);
}

}  // namespace
}  // namespace hydra::change
