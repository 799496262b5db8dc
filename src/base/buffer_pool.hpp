// Reuses the memory blocks of large buffers.
#pragma once

#include <cstddef>
#include <vector>

#include "base/byte_buffer.hpp"

namespace hydra {

// Keeps the blocks of released buffers for later ones: page faults of fresh memory take a quarter
// of the time in which rows become JSON. Blocks much smaller or larger than the given size are not
// kept, so that the kept ones fit any buffer, and stay within the memory limit that applied to the
// buffers.
class BufferPool {
 public:
  // size: the expected size of buffers; most: how many blocks are kept.
  BufferPool(std::size_t size, std::size_t most) { resize(size, most); }
  BufferPool() = default;

  // Changes the expected size of buffers, and frees the blocks that were kept.
  void resize(std::size_t size, std::size_t most);

  // An empty buffer, which has a kept block if there is one.
  ByteBuffer take() noexcept;

  void give(ByteBuffer buffer) noexcept;

 private:
  std::size_t size_ = 0;
  std::size_t most_ = 0;
  std::vector<ByteBuffer> kept_;  // has room for most_
};

}  // namespace hydra
