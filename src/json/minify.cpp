#include "json/minify.hpp"

namespace hydra::json {

std::size_t minify(char* to, const char* from, std::size_t n) noexcept {
  const char* const stop = from + n;
  char* out = to;
  bool in_string = false;
  while (from < stop) {
    const char byte = *from++;
    if (in_string) {
      *out++ = byte;
      if (byte == '\\' && from < stop)
        *out++ = *from++;  // so that an escaped quote does not end the string
      else if (byte == '"')
        in_string = false;
      continue;
    }
    if (byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r') continue;
    *out++ = byte;
    in_string = byte == '"';
  }
  return static_cast<std::size_t>(out - to);
}

}  // namespace hydra::json
