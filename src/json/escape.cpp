#include "json/escape.hpp"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <bit>

namespace hydra::json {

namespace {

// The letter of a byte's short escape; 'u' = it has none; 0 = the byte stays as it is.
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

inline char* put_all(char* to, const char* from, std::size_t n) noexcept {
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

// A whole block is written even where only its front counts: the room for n bytes is 6n + 2, so
// 16 bytes from anywhere in the input always fit.
inline char* put_blocks(char* to, const char*& from, const char* stop) noexcept {
  while (static_cast<std::size_t>(stop - from) >= block_size) {
    const __m128i block = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), block);
    const unsigned mask = escape_mask(block);
    if (mask == 0) {
      to += block_size;
      from += block_size;
      continue;
    }
    const int clean = std::countr_zero(mask);
    to = put(to + clean, from[clean]);
    from += clean + 1;
  }
  return to;
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
  const char* const stop = from + n;
  char* out = to;
#ifdef __SSE2__
  out = put_blocks(out, from, stop);
#endif
  out = put_all(out, from, static_cast<std::size_t>(stop - from));
  return static_cast<std::size_t>(out - to);
}

std::size_t escape_string(char* to, const char* from, std::size_t n) noexcept {
  *to = '"';
  const std::size_t written = escape_bytes(to + 1, from, n);
  to[written + 1] = '"';
  return written + 2;
}

}  // namespace hydra::json
