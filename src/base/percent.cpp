#include "base/percent.hpp"

#include "base/ascii.hpp"

namespace hydra {

namespace {

int hex_value(char digit) {
  if (is_digit(digit)) return digit - '0';
  if (digit >= 'a' && digit <= 'f') return digit - 'a' + 10;
  if (digit >= 'A' && digit <= 'F') return digit - 'A' + 10;
  return -1;
}

std::string encode(std::string_view bytes, bool keep_slash) {
  std::string encoded;
  encoded.reserve(bytes.size() + bytes.size() / 4);
  for (char byte : bytes) {
    if (is_unreserved(byte) || (keep_slash && byte == '/'))
      encoded += byte;
    else
      append_percent(encoded, byte);
  }
  return encoded;
}

}  // namespace

bool is_unreserved(char byte) {
  return is_letter(byte) || is_digit(byte) || byte == '-' || byte == '.' || byte == '_' ||
         byte == '~';
}

void append_percent(std::string& to, char byte) {
  static constexpr char digits[] = "0123456789ABCDEF";
  const auto value = static_cast<unsigned char>(byte);
  to += '%';
  to += digits[value >> 4];
  to += digits[value & 15];
}

std::string percent_encode(std::string_view bytes) {
  return encode(bytes, false);
}

std::string encode_path(std::string_view key) {
  return encode(key, true);
}

std::string percent_decode(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
    const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
    if (low < 0) {
      decoded += text[i];
      continue;
    }
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

}  // namespace hydra
