#include "json/escape.hpp"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <bit>
#include <cstdint>
#include <cstring>

namespace hydra::json {

namespace {

// The letter of a byte's short escape; 'u' = it has none; 0 = the byte is not escaped.
constexpr char escape_letter(unsigned char byte) {
  switch (byte) {
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    case '"':
      return '"';
    case '\\':
      return '\\';
    default:
      return byte < 0x20 ? 'u' : '\0';
  }
}

inline char* put(char* to, char byte) noexcept {
  static constexpr char digits[] = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(byte);
  const char letter = escape_letter(value);
  if (letter == '\0') {
    *to++ = byte;
    return to;
  }
  *to++ = '\\';
  *to++ = letter;
  if (letter != 'u') return to;
  *to++ = '0';
  *to++ = '0';
  *to++ = digits[value >> 4];
  *to++ = digits[value & 15];
  return to;
}

// Not inlined: rarely used where whole blocks are processed, and would enlarge that code.
[[gnu::noinline]] char* put_all(char* to, const char* from, std::size_t n) noexcept {
  for (std::size_t i = 0; i < n; ++i)
    to = put(to, from[i]);
  return to;
}

#ifdef __SSE2__

constexpr std::size_t block_size = 16;

// Bit i is set where byte i must be escaped.
inline unsigned escape_mask(__m128i block) noexcept {
  const __m128i quote = _mm_cmpeq_epi8(block, _mm_set1_epi8('"'));
  const __m128i backslash = _mm_cmpeq_epi8(block, _mm_set1_epi8('\\'));
  // There is no unsigned comparison: a byte is below 0x20 if the smaller of it and 0x1f is itself.
  const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(block, _mm_set1_epi8(0x1f)), block);
  const __m128i any = _mm_or_si128(_mm_or_si128(quote, backslash), control);
  return static_cast<unsigned>(_mm_movemask_epi8(any));
}

// Writes the escaped form of the first n bytes of a block. The whole block is stored, also past its
// n bytes: max_escaped_size() includes that room.
inline char* put_block(char* to, __m128i block, unsigned mask, const char* from,
                       std::size_t n) noexcept {
  _mm_storeu_si128(reinterpret_cast<__m128i*>(to), block);
  if (mask == 0) return to + n;
  // Bytes before the first escaped one are done; the rest is written byte by byte.
  const auto clean = static_cast<std::size_t>(std::countr_zero(mask));
  return put_all(to + clean, from + clean, n - clean);
}

inline std::uint64_t load(const char* from, std::size_t n) noexcept {
  std::uint64_t value = 0;
  std::memcpy(&value, from, n);
  return value;
}

// Loads fewer than 16 bytes as a block, without reading past them: two loads that may overlap.
inline __m128i load_short(const char* from, std::size_t n) noexcept {
  std::uint64_t low = 0;
  std::uint64_t high = 0;
  if (n > 8) {
    low = load(from, 8);
    high = load(from + n - 8, 8) >> (8 * (block_size - n));
  } else if (n >= 4) {
    low = load(from, 4) | load(from + n - 4, 4) << (8 * (n - 4));
  } else if (n > 0) {
    low = load(from, 1) | load(from + n / 2, 1) << (8 * (n / 2)) |
          load(from + n - 1, 1) << (8 * (n - 1));
  }
  return _mm_set_epi64x(static_cast<long long>(high), static_cast<long long>(low));
}

[[gnu::always_inline]] inline char* put_bytes(char* to, const char* from, std::size_t n) noexcept {
  for (; n >= block_size; n -= block_size, from += block_size) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    to = put_block(to, block, escape_mask(block), from, block_size);
  }
  const __m128i rest = load_short(from, n);
  // The bytes after the n bytes are zero, and would be escaped.
  return put_block(to, rest, escape_mask(rest) & ((1U << n) - 1), from, n);
}

#else

inline char* put_bytes(char* to, const char* from, std::size_t n) noexcept {
  return put_all(to, from, n);
}

#endif

}  // namespace

std::size_t escape_string_portable(char* to, const char* from, std::size_t n) noexcept {
  char* out = to;
  *out++ = '"';
  out = put_all(out, from, n);
  *out++ = '"';
  return static_cast<std::size_t>(out - to);
}

std::size_t escape_bytes(char* to, const char* from, std::size_t n) noexcept {
  return static_cast<std::size_t>(put_bytes(to, from, n) - to);
}

std::size_t escape_string(char* to, const char* from, std::size_t n) noexcept {
  *to = '"';
  char* const end = put_bytes(to + 1, from, n);
  *end = '"';
  return static_cast<std::size_t>(end + 1 - to);
}

}  // namespace hydra::json
