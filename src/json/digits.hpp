// Decimal digits. Each function writes at `to` and returns the end of its output.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>

namespace hydra::json {

// The maximum number of digits of a 64-bit integer, and its sign.
constexpr std::size_t max_integer_size = 20;

namespace internal {

constexpr std::array<char, 200> make_pairs() {
  std::array<char, 200> pairs{};
  for (std::size_t i = 0; i < 100; ++i) {
    pairs[2 * i] = static_cast<char>('0' + i / 10);
    pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return pairs;
}
inline constexpr std::array<char, 200> pairs = make_pairs();

constexpr std::array<std::uint64_t, 20> make_powers() {
  std::array<std::uint64_t, 20> powers{};
  powers[0] = 1;
  for (std::size_t i = 1; i < powers.size(); ++i)
    powers[i] = powers[i - 1] * 10;
  return powers;
}
inline constexpr std::array<std::uint64_t, 20> powers = make_powers();

}  // namespace internal

// 00 to 99.
inline char* put_two(char* to, std::uint32_t value) noexcept {
  std::memcpy(to, &internal::pairs[2 * value], 2);
  return to + 2;
}

// 0000 to 9999.
inline char* put_four(char* to, std::uint32_t value) noexcept {
  return put_two(put_two(to, value / 100), value % 100);
}

// 000000 to 999999.
inline char* put_six(char* to, std::uint32_t value) noexcept {
  return put_four(put_two(to, value / 10000), value % 10000);
}

constexpr int count_digits(std::uint64_t value) noexcept {
  // 1233 / 4096 is just above log10(2), so the estimate is right or one too low.
  const int estimate = ((std::bit_width(value | 1) - 1) * 1233) >> 12;
  return estimate + (estimate < 19 && value >= internal::powers[estimate + 1] ? 1 : 0) + 1;
}

inline char* put_unsigned(char* to, std::uint64_t value) noexcept {
  char* const end = to + count_digits(value);
  char* at = end;
  while (value > UINT32_MAX) {
    const std::uint64_t rest = value / 10000;
    at -= 4;
    put_four(at, static_cast<std::uint32_t>(value - rest * 10000));
    value = rest;
  }
  std::uint32_t low = static_cast<std::uint32_t>(value);
  while (low >= 100) {
    at -= 2;
    put_two(at, low % 100);
    low /= 100;
  }
  if (at - to == 2)
    put_two(to, low);
  else
    *to = static_cast<char>('0' + low);
  return end;
}

inline char* put_signed(char* to, std::int64_t value) noexcept {
  if (value >= 0) return put_unsigned(to, static_cast<std::uint64_t>(value));
  *to = '-';
  return put_unsigned(to + 1, 0 - static_cast<std::uint64_t>(value));
}

}  // namespace hydra::json
