#pragma once

#include <algorithm>
#include <string_view>

namespace hydra::s3 {

// Whether a header can hold the value as it is: a line break would let it add headers of its own.
inline bool is_header_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace hydra::s3
