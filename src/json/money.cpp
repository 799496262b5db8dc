#include "json/money.hpp"

#include <cstring>

#include "json/digits.hpp"

namespace hydra::json {

char* put_money(char* to, std::int64_t cents) noexcept {
  if (cents < 0) *to++ = '-';
  *to++ = '$';
  const auto value = static_cast<std::uint64_t>(cents);
  const std::uint64_t size = cents < 0 ? 0 - value : value;
  char digits[max_integer_size];
  const char* const end = put_unsigned(digits, size / 100);
  for (const char* digit = digits; digit < end; ++digit) {
    if (digit > digits && (end - digit) % 3 == 0) *to++ = ',';
    *to++ = *digit;
  }
  *to++ = '.';
  return put_two(to, static_cast<std::uint32_t>(size % 100));
}

}  // namespace hydra::json
