#include "base/buffer.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace hydra {

namespace {
constexpr std::size_t first_capacity = 4096;
}

Buffer::~Buffer() {
  std::free(data_);
}

Buffer::Buffer(Buffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  if (this == &other) return *this;
  std::free(data_);
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  return *this;
}

bool Buffer::reserve(std::size_t extra) noexcept {
  if (extra <= capacity_ - size_ && data_ != nullptr) return true;
  if (extra > PTRDIFF_MAX - size_) return false;
  const std::size_t needed = size_ + extra;
  const std::size_t wanted = std::max({needed, capacity_ + capacity_ / 2, first_capacity});
  auto* moved = static_cast<char*>(std::realloc(data_, wanted));
  if (moved == nullptr) return false;
  data_ = moved;
  capacity_ = wanted;
  return true;
}

void Buffer::append_reserved(const char* from, std::size_t n) noexcept {
  if (n == 0) return;  // `from` may be null then
  std::memcpy(data_ + size_, from, n);
  size_ += n;
}

void Buffer::release() noexcept {
  std::free(data_);
  data_ = nullptr;
  size_ = capacity_ = 0;
}

}  // namespace hydra
