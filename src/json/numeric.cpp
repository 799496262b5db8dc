#include "json/numeric.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "json/digits.hpp"

namespace hydra::json {
namespace {

std::uint32_t word_at(const char* bytes) noexcept {
  std::uint16_t word;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

std::uint32_t digit_at(const Numeric& numeric, int index) noexcept {
  if (index < 0 || index >= numeric.count) return 0;
  return word_at(numeric.digits + 2 * index);
}

Numeric::Kind special_kind(std::uint32_t head) noexcept {
  switch (head & 0x3000) {
    case 0x1000:
      return Numeric::Kind::infinity;
    case 0x3000:
      return Numeric::Kind::minus_infinity;
    default:
      return Numeric::Kind::nan;
  }
}

char* put_word(char* to, Numeric::Kind kind) noexcept {
  const std::string_view word = kind == Numeric::Kind::nan        ? "NaN"
                                : kind == Numeric::Kind::infinity ? "Infinity"
                                                                  : "-Infinity";
  std::memcpy(to, word.data(), word.size());
  return to + word.size();
}

}  // namespace

Numeric parse_numeric(const char* bytes, std::size_t n) noexcept {
  const std::uint32_t head = word_at(bytes);
  Numeric numeric;
  std::size_t used = 2;
  switch (head & 0xc000) {
    case 0xc000:
      numeric.kind = special_kind(head);
      return numeric;
    case 0x8000:
      numeric.negative = (head & 0x2000) != 0;
      numeric.scale = static_cast<int>((head & 0x1f80) >> 7);
      numeric.weight = static_cast<int>(head & 0x3f) - ((head & 0x40) != 0 ? 64 : 0);
      break;
    default:
      numeric.negative = (head & 0x4000) != 0;
      numeric.scale = static_cast<int>(head & 0x3fff);
      numeric.weight = static_cast<std::int16_t>(word_at(bytes + 2));
      used = 4;
  }
  numeric.digits = bytes + used;
  numeric.count = static_cast<int>((n - used) / 2);
  return numeric;
}

std::size_t max_numeric_size(const Numeric& numeric) noexcept {
  // Always four digits, although the first may have fewer.
  const int before = std::max(numeric.weight + 1, 1) * 4;
  return static_cast<std::size_t>(before + numeric.scale) + 8;
}

char* put_numeric(char* to, const Numeric& numeric) noexcept {
  if (numeric.kind != Numeric::Kind::finite) return put_word(to, numeric.kind);
  if (numeric.negative) *to++ = '-';
  to = put_unsigned(to, numeric.weight < 0 ? 0 : digit_at(numeric, 0));
  for (int i = 1; i <= numeric.weight; ++i)
    to = put_four(to, digit_at(numeric, i));
  if (numeric.scale == 0) return to;
  *to++ = '.';
  char* const end = to + numeric.scale;
  for (int i = numeric.weight + 1; to < end; ++i)
    to = put_four(to, digit_at(numeric, i));
  return end;
}

}  // namespace hydra::json
