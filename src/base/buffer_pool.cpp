#include "base/buffer_pool.hpp"

#include <utility>

namespace hydra {

BufferPool::BufferPool(std::size_t size, std::size_t most) : size_(size) {
  kept_.reserve(most);
}

Buffer BufferPool::take() noexcept {
  if (kept_.empty()) return Buffer();
  Buffer buffer = std::move(kept_.back());
  kept_.pop_back();
  return buffer;
}

void BufferPool::give(Buffer buffer) noexcept {
  const bool fits = buffer.capacity() >= size_ && buffer.capacity() / 2 <= size_;
  if (!fits || kept_.size() == kept_.capacity()) return;
  buffer.truncate(0);
  kept_.push_back(std::move(buffer));
}

}  // namespace hydra
