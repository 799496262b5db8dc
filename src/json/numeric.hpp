// numeric as PostgreSQL prints it, from the bytes in which it stores it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hydra::json {

// A parsed numeric. Its value is the sum of digit[i] * 10000^(weight - i).
//
// The bytes begin with a 16-bit word in the machine's byte order. Its two high bits give the form:
// 11 = special (the next two: 00 NaN, 01 Infinity, 11 -Infinity); 10 = short (then sign 1 bit,
// scale 6 bits, weight 7 bits as two's complement, digits follow); else long (01 = negative, scale
// 14 bits, a word with the weight follows, then the digits). A digit is a 16-bit word, 0 to 9999;
// zeros at either end are not stored.
struct Numeric {
  enum class Kind : unsigned char { finite, nan, infinity, minus_infinity };
  Kind kind = Kind::finite;
  bool negative = false;
  int weight = 0;
  int scale = 0;  // decimals that are printed
  int count = 0;  // of digits
  const char* digits = nullptr;
};

// bytes: the value without the varlena header, at any alignment.
Numeric parse_numeric(const char* bytes, std::size_t n) noexcept;

// The room that put_numeric() needs.
std::size_t max_numeric_size(const Numeric& numeric) noexcept;

// Writes at `to` and returns the end. Writes values that are not finite as NaN, Infinity or
// -Infinity, without quotes.
char* put_numeric(char* to, const Numeric& numeric) noexcept;

}  // namespace hydra::json
