// The line being written: the growing end of an object's buffer.
#pragma once

#include "base/buffer.hpp"
#include "json/escape.hpp"
#include "pg/postgres.hpp"

namespace hydra::record {

// Appends to a buffer, up to a limit per line. All methods are raw (pg/error.hpp): they raise
// when memory is out or the line passes the limit. The fast way is room(), write, advance_to():
// once for as much as can be told beforehand.
class Line {
 public:
  // limit: of one line, in bytes.
  Line(Buffer& buffer, std::size_t limit)
      : buffer_(buffer), limit_(limit), converts_(GetDatabaseEncoding() != PG_UTF8) {}

  void begin() { start_ = buffer_.size(); }
  std::size_t start() const { return start_; }
  std::size_t size() const { return buffer_.size() - start_; }

  // Room for n bytes at the end; advance_to() says up to where it was used.
  char* room(std::size_t n) {
    if (n < buffer_.capacity() - buffer_.size() && size() <= limit_) return buffer_.end();
    return make_room(n);
  }
  void advance_to(const char* end) {
    buffer_.advance(static_cast<std::size_t>(end - buffer_.end()));
  }

  void put(char c) {
    char* to = room(1);
    *to = c;
    advance_to(to + 1);
  }
  void append(const char* from, std::size_t n) {
    char* to = room(n);
    std::memcpy(to, from, n);
    advance_to(to + n);
  }
  void append_null() { append("null", 4); }

  // The following are given bytes in the database's encoding.
  // As a JSON string, with its quotes.
  void append_string(const char* from, std::size_t n) {
    if (converts_ || n > escape_piece) {
      append_long_string(from, n);
      return;
    }
    char* to = room(json::max_escaped_size(n));
    advance_to(to + json::escape_string(to, from, n));
  }
  void append_string(const char* text) { append_string(text, std::strlen(text)); }
  void append_json(const char* from, std::size_t n);      // JSON text as it is
  void append_minified(const char* from, std::size_t n);  // without whitespace outside strings

 private:
  // Escaping may make six bytes of one; in pieces, the room asked for stays near what is needed.
  static constexpr std::size_t escape_piece = 16 * 1024;

  char* make_room(std::size_t n);
  void append_long_string(const char* from, std::size_t n);
  void append_escaped(const char* from, std::size_t n);
  std::size_t piece_of(std::string_view text) const;

  Buffer& buffer_;
  std::size_t limit_;
  bool converts_;
  std::size_t start_ = 0;
};

}  // namespace hydra::record
