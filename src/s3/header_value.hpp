#pragma once

#include <algorithm>
#include <string_view>

namespace hydra::s3 {

// Whether a header can contain the value unchanged: a line break would allow it to add headers.
inline bool is_header_value(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
}

}  // namespace hydra::s3
