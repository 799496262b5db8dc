#include "base/hex.hpp"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace hydra {
namespace {

char* put_byte(char* to, char byte) noexcept {
  static constexpr char digits[] = "0123456789abcdef";
  const auto value = static_cast<unsigned char>(byte);
  to[0] = digits[value >> 4];
  to[1] = digits[value & 15];
  return to + 2;
}

#ifdef __SSE2__

// Values 0 to 15 as digits.
__m128i to_digits(__m128i values) noexcept {
  const __m128i letter = _mm_cmpgt_epi8(values, _mm_set1_epi8(9));
  const __m128i more = _mm_and_si128(letter, _mm_set1_epi8('a' - '0' - 10));
  return _mm_add_epi8(_mm_add_epi8(values, _mm_set1_epi8('0')), more);
}

// 16 bytes as 32 digits.
char* put_block(char* to, const char* from) noexcept {
  const __m128i nibble = _mm_set1_epi8(15);
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
  const __m128i high = _mm_and_si128(_mm_srli_epi16(bytes, 4), nibble);
  const __m128i low = _mm_and_si128(bytes, nibble);
  __m128i* out = reinterpret_cast<__m128i*>(to);
  _mm_storeu_si128(out, to_digits(_mm_unpacklo_epi8(high, low)));
  _mm_storeu_si128(out + 1, to_digits(_mm_unpackhi_epi8(high, low)));
  return to + 32;
}

#endif

}  // namespace

char* put_hex(char* to, const char* from, std::size_t n) noexcept {
  std::size_t i = 0;
#ifdef __SSE2__
  for (; n - i >= 16; i += 16)
    to = put_block(to, from + i);
#endif
  for (; i < n; ++i)
    to = put_byte(to, from[i]);
  return to;
}

std::string hex(std::string_view bytes) {
  std::string digits(2 * bytes.size(), '\0');
  put_hex(digits.data(), bytes.data(), bytes.size());
  return digits;
}

}  // namespace hydra
