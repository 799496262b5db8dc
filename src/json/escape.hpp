// JSON strings, byte for byte as PostgreSQL's escape_json() writes them.
#pragma once

#include <cstddef>

namespace hydra::json {

// The room that escape_string() needs for n bytes: each as \u00xx, two quotes, and the bytes that a
// last block of 16 may write past its end.
constexpr std::size_t max_escaped_size(std::size_t n) {
  return 6 * n + 18;
}

// Writes n bytes as a JSON string with its quotes, into room for max_escaped_size(n) bytes, and
// returns the number of bytes written. \b \f \n \r \t \" \\ have short forms, other bytes below
// 0x20 become \u00xx with lower-case digits; all other bytes, including 0x7f and non-ASCII, are
// copied. Bytes after those returned may have been overwritten, within the room.
std::size_t escape_string(char* to, const char* from, std::size_t n) noexcept;

// The same without the quotes, so that a long string can be written piece by piece.
std::size_t escape_bytes(char* to, const char* from, std::size_t n) noexcept;

// escape_string(), byte by byte: used without SSE2.
std::size_t escape_string_portable(char* to, const char* from, std::size_t n) noexcept;

}  // namespace hydra::json
