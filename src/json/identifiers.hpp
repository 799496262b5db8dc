// Values of uuid, macaddr and macaddr8: bytes in hexadecimal with separators.
#pragma once

#include <cstddef>

namespace hydra::json {

// All write at `to` and return the end.

constexpr std::size_t uuid_size = 36;
char* put_uuid(char* to, const char* from) noexcept;  // from: 16 bytes

// Six or eight bytes with colons in between.
constexpr std::size_t max_mac_size = 23;
char* put_mac(char* to, const char* from, std::size_t n) noexcept;

}  // namespace hydra::json
