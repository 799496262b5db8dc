#include "base/byte_buffer.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace hydra {

namespace {

constexpr std::size_t first_capacity = 4096;

// From this capacity on, a block is a mapping of its own. It grows without being copied, is
// returned to the system when it is released, and may have huge pages; without them, filling it
// would cost as much in page faults as in writing. malloc guarantees none of this, because its own
// threshold changes.
constexpr std::size_t mapped_capacity = 1024 * 1024;

// From this size on, a mapping consists only of huge pages.
constexpr std::size_t huge_capacity = 4 * 1024 * 1024;
constexpr std::size_t page = 4096;
constexpr std::size_t huge_page = 2 * 1024 * 1024;

bool is_mapped(std::size_t capacity) noexcept {
  return capacity >= mapped_capacity;
}

// The next capacity: half more, or what is needed; at first not more than the expected final size.
std::size_t next_capacity(std::size_t capacity, std::size_t needed, std::size_t full) noexcept {
  const std::size_t grown = std::max({needed, capacity + capacity / 2, first_capacity});
  const bool stops = needed <= full && grown > full;
  const std::size_t wanted = stops ? full : grown;
  if (!is_mapped(wanted)) return wanted;
  const std::size_t unit = wanted >= huge_capacity ? huge_page : page;
  const std::size_t least = stops ? full : needed;
  return std::max(wanted / unit * unit, (least + unit - 1) / unit * unit);
}

char* map(std::size_t capacity) noexcept {
  void* block = mmap(nullptr, capacity, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return block == MAP_FAILED ? nullptr : static_cast<char*>(block);
}

void free_block(char* block, std::size_t capacity) noexcept {
  if (is_mapped(capacity)) {
    munmap(block, capacity);
  } else {
    std::free(block);
  }
}

// Both capacities are mapped ones.
char* grow_mapped(char* block, std::size_t capacity, std::size_t wanted) noexcept {
#ifdef MREMAP_MAYMOVE
  void* moved = mremap(block, capacity, wanted, MREMAP_MAYMOVE);
  return moved == MAP_FAILED ? nullptr : static_cast<char*>(moved);
#else
  char* moved = map(wanted);
  if (moved == nullptr) return nullptr;
  std::memcpy(moved, block, capacity);
  free_block(block, capacity);
  return moved;
#endif
}

void ask_for_huge_pages([[maybe_unused]] char* block, [[maybe_unused]] std::size_t size) noexcept {
#ifdef MADV_HUGEPAGE
  (void)madvise(block, size, MADV_HUGEPAGE);  // works without, too
#endif
}

// Returns a block of `wanted` bytes with the contents of the old one, which is freed; nullptr if
// memory is out, and then the old one stays.
char* grow(char* block, std::size_t capacity, std::size_t wanted) noexcept {
  if (!is_mapped(wanted)) return static_cast<char*>(std::realloc(block, wanted));
  char* moved = is_mapped(capacity) ? grow_mapped(block, capacity, wanted) : map(wanted);
  if (moved == nullptr) return nullptr;
  ask_for_huge_pages(moved, wanted);
  if (!is_mapped(capacity) && capacity > 0) {
    std::memcpy(moved, block, capacity);
    free_block(block, capacity);
  }
  return moved;
}

}  // namespace

ByteBuffer::~ByteBuffer() {
  release();
}

ByteBuffer::ByteBuffer(ByteBuffer&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)),
      full_(other.full_) {}

ByteBuffer& ByteBuffer::operator=(ByteBuffer&& other) noexcept {
  if (this == &other) return *this;
  release();
  data_ = std::exchange(other.data_, nullptr);
  size_ = std::exchange(other.size_, 0);
  capacity_ = std::exchange(other.capacity_, 0);
  full_ = other.full_;
  return *this;
}

bool ByteBuffer::reserve(std::size_t extra) noexcept {
  if (extra <= capacity_ - size_ && data_ != nullptr) return true;
  if (extra > PTRDIFF_MAX - mapped_capacity - size_) return false;
  const std::size_t wanted = next_capacity(capacity_, size_ + extra, full_);
  char* moved = grow(data_, capacity_, wanted);
  if (moved == nullptr) return false;
  data_ = moved;
  capacity_ = wanted;
  return true;
}

void ByteBuffer::append_reserved(const char* from, std::size_t n) noexcept {
  if (n == 0) return;  // `from` may be null
  std::memcpy(data_ + size_, from, n);
  size_ += n;
}

void ByteBuffer::release() noexcept {
  if (data_ != nullptr) free_block(data_, capacity_);
  data_ = nullptr;
  size_ = capacity_ = 0;
}

}  // namespace hydra
