// Percent-encoding as required by S3 and Signature Version 4: RFC 3986's unreserved characters
// stay, all other bytes become %XX with upper-case digits.
#pragma once

#include <string>
#include <string_view>

namespace hydra {

// A-Z a-z 0-9 - . _ ~: bytes that are never encoded.
bool is_unreserved(char byte);

std::string percent_encode(std::string_view bytes);

// The same, but '/' stays: for an object's key as the path of its URL.
std::string encode_path(std::string_view key);

// Appends one byte as %XX.
void append_percent(std::string& to, char byte);

// Decodes %XX; a % without two hexadecimal digits after it stays as it is.
std::string percent_decode(std::string_view text);

}  // namespace hydra
