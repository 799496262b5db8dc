#include "json/identifiers.hpp"

#include <cstring>

#include "base/hex.hpp"

namespace hydra::json {

char* put_uuid(char* to, const char* from) noexcept {
  char digits[32];
  put_hex(digits, from, 16);
  std::memcpy(to, digits, 8);
  std::memcpy(to + 9, digits + 8, 4);
  std::memcpy(to + 14, digits + 12, 4);
  std::memcpy(to + 19, digits + 16, 4);
  std::memcpy(to + 24, digits + 20, 12);
  to[8] = to[13] = to[18] = to[23] = '-';
  return to + uuid_size;
}

char* put_mac(char* to, const char* from, std::size_t n) noexcept {
  for (std::size_t i = 0; i < n; ++i) {
    if (i > 0) *to++ = ':';
    to = put_hex(to, from + i, 1);
  }
  return to;
}

}  // namespace hydra::json
