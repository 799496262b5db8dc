// A growable array of bytes for code in which a C++ exception must not be thrown.
#pragma once

#include <cstddef>

namespace hydra {

// Bytes in one block. Nothing here throws: if memory is out, reserve() returns false and leaves the
// contents unchanged. Usage: reserve(n), write up to n bytes at end(), then advance() by the number
// written. The block grows by half (large blocks are remapped rather than copied), so above a first
// 4 KB the capacity stays within 1.5 times of what was needed.
//
// Invariant: size() <= capacity(); any reserve() may move the block.
class ByteBuffer {
 public:
  // full: the expected final size, if known: the block is not made larger than that unless needed.
  explicit ByteBuffer(std::size_t full = 0) noexcept : full_(full) {}
  ~ByteBuffer();
  ByteBuffer(ByteBuffer&& other) noexcept;
  ByteBuffer& operator=(ByteBuffer&& other) noexcept;
  ByteBuffer(const ByteBuffer&) = delete;
  ByteBuffer& operator=(const ByteBuffer&) = delete;

  // Makes room for this many bytes after end(). False when out of memory.
  [[nodiscard]] bool reserve(std::size_t extra) noexcept;

  char* data() noexcept { return data_; }
  const char* data() const noexcept { return data_; }
  std::size_t size() const noexcept { return size_; }
  std::size_t capacity() const noexcept { return capacity_; }
  char* end() noexcept { return data_ + size_; }

  // Adds the next n bytes, already written into reserved room, to the contents.
  void advance(std::size_t n) noexcept { size_ += n; }

  // Copies n bytes into room reserved before.
  void append_reserved(const char* from, std::size_t n) noexcept;

  // Drops everything after the first `size` bytes (at most size()); keeps the block.
  void truncate(std::size_t size) noexcept { size_ = size; }

  // Frees the block: size and capacity are 0 afterwards.
  void release() noexcept;

 private:
  char* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
  std::size_t full_ = 0;
};

}  // namespace hydra
