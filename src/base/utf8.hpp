// UTF-8 as RFC 3629 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace hydra {

// The length in bytes of the text's first character (1 to 4); 0 if it does not begin with a valid
// one.
std::size_t utf8_length(std::string_view text);

bool is_utf8(std::string_view text);

// Whether the text, valid UTF-8, begins with a control character (C0, DEL or C1).
bool begins_with_control(std::string_view text);

// Appends a code point; an invalid one appends nothing.
void append_utf8(std::string& to, std::uint32_t point);

}  // namespace hydra
