// Shares a table's blocks among the processes that read it. Plain C++.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

namespace hydra::change {

struct BlockRun {
  std::uint32_t first = 0;
  std::uint32_t count = 0;
};

// Hands out a table's blocks in order, in chunks: large enough that neighbouring rows are in one
// object, small enough that all readers end at about the same time. Located in shared memory, or in
// the memory of a single process.
class BlockDispenser {
 public:
  BlockDispenser(std::uint32_t blocks, int readers)
      : blocks_(blocks), chunk_(readers == 1 ? std::max(blocks, 1u) : chunk_of(blocks)) {}

  std::uint32_t blocks() const noexcept { return blocks_; }

  // The next chunk; its count is 0 when no blocks are left.
  BlockRun next() noexcept {
    const std::uint64_t first = next_.fetch_add(chunk_, std::memory_order_relaxed);
    if (first >= blocks_) return {};
    const auto block = static_cast<std::uint32_t>(first);
    return {block, std::min(chunk_, blocks_ - block)};
  }

 private:
  static std::uint32_t chunk_of(std::uint32_t blocks) {
    return std::clamp(blocks / 256, 32u, 4096u);
  }

  std::uint32_t blocks_;
  std::uint32_t chunk_;
  std::atomic<std::uint64_t> next_{0};
  // required for use between processes
  static_assert(std::atomic<std::uint64_t>::is_always_lock_free);
};

}  // namespace hydra::change
