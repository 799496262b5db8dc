// What the fuzz targets share. Each is a file with a LLVMFuzzerTestOneInput (libFuzzer).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/utf8.hpp"
#include "s3/errors.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace hydra::fuzz {

inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

// The input, taken apart from its beginning.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size) {}

  // Up to the next byte 0, which is dropped: seeds stay readable.
  std::string_view part() {
    const std::size_t end = rest_.find('\0');
    const std::string_view part = rest_.substr(0, end);
    rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
    return part;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

// Fit for messages and tables.
inline void require_clean(const std::string& text) {
  require(text == s3::clean_text(text), "text from outside is clean");
}

inline void require_header_value(const std::string& value) {
  for (const char c : value)
    require(c >= 0x20 && c < 0x7f, "a header's value cannot add headers of its own");
}

}  // namespace hydra::fuzz
