#include "base/buffer.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace hydra {

namespace {
constexpr std::size_t first_capacity = 4096;

// Filling a large block costs as much in page faults as in writing, unless the pages are huge. The
// kernel is asked for them; a refusal is no harm. All pages of the block are named, those at its
// ends too: a mapping in two parts could not be moved, and growing would copy it.
void ask_for_huge_pages([[maybe_unused]] char* block, [[maybe_unused]] std::size_t size) noexcept {
#ifdef MADV_HUGEPAGE
  constexpr std::uintptr_t page = 4096;
  constexpr std::size_t worthwhile = 4 * 1024 * 1024;
  if (size < worthwhile) return;
  const std::uintptr_t start = reinterpret_cast<std::uintptr_t>(block) / page * page;
  const std::uintptr_t end = reinterpret_cast<std::uintptr_t>(block) + size;
  (void)madvise(reinterpret_cast<void*>(start), (end - start + page - 1) / page * page,
                MADV_HUGEPAGE);
#endif
}

}  // namespace

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
  ask_for_huge_pages(moved, wanted);
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
