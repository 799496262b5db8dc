// Percent-encoding as S3 and Signature Version 4 want it (RFC 3986's unreserved characters stay,
// all other bytes become %XX in capitals).
#pragma once

#include <string>
#include <string_view>

namespace hydra {

// A-Z a-z 0-9 - . _ ~: bytes that never need encoding.
bool is_unreserved(char byte);

std::string percent_encode(std::string_view bytes);

// The same, but '/' stays: an object's key as the path of its URL.
std::string encode_path(std::string_view key);

// Appends one byte as %XX.
void append_percent(std::string& to, char byte);

// %XX becomes its byte; a % that two hexadecimal digits do not follow stays as it is.
std::string percent_decode(std::string_view text);

}  // namespace hydra
