// Bytes in lower-case hexadecimal, two digits per byte.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace hydra {

// Writes at `to` and returns the end.
char* put_hex(char* to, const char* from, std::size_t n) noexcept;

std::string hex(std::string_view bytes);

}  // namespace hydra
