// Blocks of memory for one large buffer after another.
#pragma once

#include <cstddef>
#include <vector>

#include "base/byte_buffer.hpp"

namespace hydra {

// Keeps the blocks of buffers that are done with for those that come next: writing to fresh memory
// costs page faults, which take a quarter of the time that rows need to become JSON. Blocks that
// are much smaller or larger than the size given are not kept, so that what is kept was within the
// owner's bound on memory before, and is of use to any.
class BufferPool {
 public:
  // size: what buffers are expected to hold; most: how many blocks are kept.
  BufferPool(std::size_t size, std::size_t most) { resize(size, most); }
  BufferPool() = default;

  // Buffers of another size come from now on: what was kept is given back.
  void resize(std::size_t size, std::size_t most);

  // An empty buffer, with a block where one was kept.
  ByteBuffer take() noexcept;

  void give(ByteBuffer buffer) noexcept;

 private:
  std::size_t size_ = 0;
  std::size_t most_ = 0;
  std::vector<ByteBuffer> kept_;  // has room for most_
};

}  // namespace hydra
