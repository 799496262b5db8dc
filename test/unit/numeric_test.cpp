#include "json/numeric.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include "json/digits.hpp"
#include "json/money.hpp"

namespace hydra::json {
namespace {

using Words = std::vector<std::uint16_t>;

// At an odd address, as short headers make them.
std::string print(const Words& words) {
  std::string bytes(1 + words.size() * 2, '\0');
  std::memcpy(bytes.data() + 1, words.data(), words.size() * 2);
  const Numeric numeric = parse_numeric(bytes.data() + 1, words.size() * 2);
  std::vector<char> room(max_numeric_size(numeric) + 8, '#');
  const char* end = put_numeric(room.data(), numeric);
  for (std::size_t i = room.size() - 8; i < room.size(); ++i)
    EXPECT_EQ(room[i], '#');
  return std::string(static_cast<const char*>(room.data()), end);
}

std::uint16_t short_head(bool negative, int scale, int weight) {
  return static_cast<std::uint16_t>(0x8000 | (negative ? 0x2000 : 0) | (scale << 7) |
                                    (weight & 0x7f));
}

TEST(Numeric, ShortForm) {
  EXPECT_EQ(print({short_head(false, 0, 0)}), "0");
  EXPECT_EQ(print({short_head(false, 3, 0)}), "0.000");
  EXPECT_EQ(print({short_head(true, 2, 0), 12, 3400}), "-12.34");
  EXPECT_EQ(print({short_head(false, 2, 1), 1, 1, 100}), "10001.01");
  EXPECT_EQ(print({short_head(false, 0, 2), 5}), "500000000");
  EXPECT_EQ(print({short_head(false, 9, -2), 1000}), "0.000010000");
  EXPECT_EQ(print({short_head(false, 5, -1), 1}), "0.00010");
}

TEST(Numeric, LongForm) {
  EXPECT_EQ(print({0x4000 | 100, 0}), "-0." + std::string(100, '0'));
  EXPECT_EQ(print({1, 100, 7}), "7" + std::string(400, '0') + ".0");
  EXPECT_EQ(print({300, static_cast<std::uint16_t>(-75), 9999}),
            "0." + std::string(296, '0') + "9999");
}

TEST(Numeric, SpecialValues) {
  EXPECT_EQ(print({0xc000}), "NaN");
  EXPECT_EQ(print({0xd000}), "Infinity");
  EXPECT_EQ(print({0xf000}), "-Infinity");
}

// All digits in a row, with the decimal point inserted by hand.
TEST(Numeric, RandomDigitsMatchTheReference) {
  std::mt19937 random(3);
  for (int i = 0; i < 20000; ++i) {
    const int weight = static_cast<int>(random() % 12) - 6;
    const int scale = static_cast<int>(random() % 30);
    const int count = 1 + static_cast<int>(random() % 6);
    Words words = {short_head(i % 2 == 0, scale, weight)};
    std::string digits(weight < 0 ? static_cast<std::size_t>(-1 - weight) * 4 : 0, '0');
    for (int n = 0; n < count; ++n) {
      words.push_back(static_cast<std::uint16_t>(1 + random() % 9999));
      char text[8];
      std::snprintf(text, sizeof text, "%04d", words.back());
      digits += text;
    }
    digits += std::string(80, '0');
    const std::size_t before = weight < 0 ? 0 : static_cast<std::size_t>(weight + 1) * 4;
    std::string expected = digits.substr(0, before);
    expected.erase(0, expected.find_first_not_of('0'));
    if (expected.empty()) expected = "0";
    if (scale > 0) expected += "." + digits.substr(before, static_cast<std::size_t>(scale));
    ASSERT_EQ(print(words), (i % 2 == 0 ? "-" : "") + expected);
  }
}

TEST(Digits, OfEveryLength) {
  char room[24];
  for (std::uint64_t power = 1;; power *= 10) {
    for (const std::uint64_t value : {power - 1, power, power + 1, power * 9 / 5}) {
      EXPECT_EQ(std::string(room, put_unsigned(room, value)), std::to_string(value));
      const auto number = -static_cast<std::int64_t>(value / 2);
      EXPECT_EQ(std::string(room, put_signed(room, number)), std::to_string(number));
    }
    if (power == 10000000000000000000U) break;
  }
  EXPECT_EQ(std::string(room, put_unsigned(room, UINT64_MAX)), "18446744073709551615");
  EXPECT_EQ(std::string(room, put_signed(room, INT64_MIN)), "-9223372036854775808");
}

TEST(Digits, RandomIntegers) {
  std::mt19937_64 random(11);
  char room[24];
  for (int i = 0; i < 200000; ++i) {
    const auto value = static_cast<std::int64_t>(random() >> (random() % 64));
    ASSERT_EQ(std::string(room, put_signed(room, value)), std::to_string(value));
  }
}

TEST(Money, GroupsOfThree) {
  const auto print_money = [](std::int64_t cents) {
    char room[max_money_size];
    return std::string(room, put_money(room, cents));
  };
  EXPECT_EQ(print_money(0), "$0.00");
  EXPECT_EQ(print_money(-1), "-$0.01");
  EXPECT_EQ(print_money(99999), "$999.99");
  EXPECT_EQ(print_money(100000), "$1,000.00");
  EXPECT_EQ(print_money(123456789), "$1,234,567.89");
  EXPECT_EQ(print_money(INT64_MIN), "-$92,233,720,368,547,758.08");
}

}  // namespace
}  // namespace hydra::json
