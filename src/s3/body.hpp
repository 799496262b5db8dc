// The content of an upload.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hydra::s3 {

// An object's contents. libcurl's callbacks call read() and rewind(), so neither may throw.
class Body {
 public:
  virtual ~Body() = default;
  virtual std::uint64_t size() const = 0;
  // Makes the next read() start at the first byte. Called before each attempt.
  virtual void rewind() = 0;
  // Copies the next bytes, at most `room`, and returns their number; 0 only at the end.
  virtual std::size_t read(char* to, std::size_t room) noexcept = 0;
};

}  // namespace hydra::s3
