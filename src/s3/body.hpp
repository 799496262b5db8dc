// What an upload sends.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hydra::s3 {

// An object's contents. read() and rewind() are called from inside libcurl; neither may throw.
class Body {
 public:
  virtual ~Body() = default;
  virtual std::uint64_t size() const = 0;
  // The next read() begins at the first byte again. Called before each attempt.
  virtual void rewind() = 0;
  // Copies the next bytes, at most `room`, and returns how many; 0 only at the end.
  virtual std::size_t read(char* to, std::size_t room) noexcept = 0;
};

}  // namespace hydra::s3
