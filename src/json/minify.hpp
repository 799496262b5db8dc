// JSON text on one line.
#pragma once

#include <cstddef>

namespace hydra::json {

// Copies valid JSON text without the whitespace (space, \t, \n, \r) outside its strings, into room
// for n bytes, and returns the number of bytes written. `to` may be `from`.
std::size_t minify(char* to, const char* from, std::size_t n) noexcept;

}  // namespace hydra::json
