#include "base/buffer_pool.hpp"

#include <utility>

namespace hydra {

void BufferPool::resize(std::size_t size, std::size_t most) {
  if (size == size_ && most == most_) return;
  kept_.clear();
  kept_.reserve(most);
  size_ = size;
  most_ = most;
}

ByteBuffer BufferPool::take() noexcept {
  if (kept_.empty()) return ByteBuffer(size_ + size_ / 64);  // the last line exceeds the size
  ByteBuffer buffer = std::move(kept_.back());
  kept_.pop_back();
  return buffer;
}

void BufferPool::give(ByteBuffer buffer) noexcept {
  const bool fits = buffer.capacity() >= size_ && buffer.capacity() / 2 <= size_;
  if (!fits || kept_.size() == most_) return;
  buffer.truncate(0);
  kept_.push_back(std::move(buffer));
}

}  // namespace hydra
