// The line being written, at the end of an object's buffer.
#pragma once

#include "base/byte_buffer.hpp"
#include "json/escape.hpp"
#include "pg/postgres.hpp"

namespace hydra::row_json {

// Appends to a buffer, up to a limit per line. The write position is not stored here: everything
// that writes takes it as `to` and returns the end of its output, so that it stays in a register.
// room() may move the buffer, and returns the position in the moved one.
//
// All methods are raw (pg/error.hpp): they raise an error if memory is out or the line exceeds the
// limit.
class Line {
 public:
  // limit: of one line, in bytes.
  Line(ByteBuffer& buffer, std::size_t limit)
      : buffer_(buffer), limit_(limit), converts_(GetDatabaseEncoding() != PG_UTF8) {}

  char* begin() {
    start_ = buffer_.size();
    stop_ = buffer_.data() + buffer_.capacity();
    return buffer_.end();
  }
  void end(char* to) {
    keep(to);
    if (size() > limit_) raise_too_large("It has %zu bytes.");
  }

  // The offset in the buffer of the line that was begun last.
  std::size_t start() const { return start_; }

  // Room for n bytes from `to` on.
  char* room(char* to, std::size_t n) {
    return n <= static_cast<std::size_t>(stop_ - to) ? to : make_room(to, n);
  }

  char* put(char* to, char c) {
    to = room(to, 1);
    *to = c;
    return to + 1;
  }
  char* append(char* to, const char* from, std::size_t n) {
    to = room(to, n);
    std::memcpy(to, from, n);
    return to + n;
  }
  char* append_null(char* to) { return append(to, "null", 4); }

  // The following are given bytes in the database's encoding.
  // As a JSON string, with its quotes.
  char* append_string(char* to, const char* from, std::size_t n) {
    if (converts_ || n > escape_piece) return append_long_string(to, from, n);
    to = room(to, json::max_escaped_size(n));
    return to + json::escape_string(to, from, n);
  }
  char* append_string(char* to, const char* text) {
    return append_string(to, text, std::strlen(text));
  }
  char* append_json(char* to, const char* from, std::size_t n);  // JSON text as it is
  // no whitespace except in strings
  char* append_minified(char* to, const char* from, std::size_t n);

 private:
  // Escaping may turn one byte into six; in pieces, the requested room stays close to what is
  // needed.
  static constexpr std::size_t escape_piece = 16 * 1024;

  std::size_t size() const { return buffer_.size() - start_; }
  void keep(const char* to) { buffer_.advance(static_cast<std::size_t>(to - buffer_.end())); }
  char* make_room(char* to, std::size_t n);
  [[noreturn]] void raise_too_large(const char* detail) const;
  char* append_long_string(char* to, const char* from, std::size_t n);
  char* append_escaped(char* to, const char* from, std::size_t n);
  std::size_t piece_of(std::string_view text) const;

  ByteBuffer& buffer_;
  std::size_t limit_;
  bool converts_;
  std::size_t start_ = 0;
  char* stop_ = nullptr;  // the end of the buffer's block
};

}  // namespace hydra::row_json
