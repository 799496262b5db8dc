// The line being written: the growing end of an object's buffer.
#pragma once

#include "base/buffer.hpp"
#include "pg/postgres.hpp"

namespace hydra::record {

// Appends to a buffer, up to a limit per line. All methods are raw (pg/error.hpp): they raise
// when memory is out or the line passes the limit.
class Line {
 public:
  // limit: of one line, in bytes.
  Line(Buffer& buffer, std::size_t limit) : buffer_(buffer), limit_(limit) {}

  void begin() { start_ = buffer_.size(); }
  std::size_t start() const { return start_; }
  std::size_t size() const { return buffer_.size() - start_; }

  // Room for n bytes at the end; advance() says how many of them were used.
  char* room(std::size_t n);
  void advance(std::size_t n) { buffer_.advance(n); }

  void put(char c) {
    *room(1) = c;
    advance(1);
  }
  void append(const char* from, std::size_t n);
  void append(const char* text) { append(text, std::strlen(text)); }

  // The following are given bytes in the database's encoding.
  void append_string(const char* from, std::size_t n);    // as a JSON string, with its quotes
  void append_json(const char* from, std::size_t n);      // JSON text as it is
  void append_minified(const char* from, std::size_t n);  // without whitespace outside strings

 private:
  Buffer& buffer_;
  std::size_t limit_;
  std::size_t start_ = 0;
};

}  // namespace hydra::record
