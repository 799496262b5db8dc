#include "json/escape.hpp"

#include <gtest/gtest.h>

#include <cstdio>
#include <random>
#include <string>
#include <vector>

namespace hydra::json {
namespace {

using Function = std::size_t (*)(char*, const char*, std::size_t) noexcept;

// Sentinels around the room show writes outside of it.
std::string run(Function escape, const std::string& text) {
  std::vector<char> room(max_escaped_size(text.size()) + 32, '#');
  const std::size_t written = escape(room.data() + 16, text.data(), text.size());
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(room[i], '#');
    EXPECT_EQ(room[room.size() - 1 - i], '#');
  }
  return std::string(room.data() + 16, written);
}

// escape_json(), implemented literally.
std::string reference(const std::string& text) {
  std::string out = "\"";
  for (char c : text) {
    static const std::string special = "\b\f\n\r\t\"\\", letters = "bfnrt\"\\";
    const std::size_t found = special.find(c);
    char hexadecimal[8];
    std::snprintf(hexadecimal, sizeof hexadecimal, "\\u%04x", static_cast<unsigned char>(c));
    if (found != std::string::npos)
      out += std::string("\\") + letters[found];
    else
      out += static_cast<unsigned char>(c) < 0x20 ? std::string(hexadecimal) : std::string(1, c);
  }
  return out + '"';
}

TEST(Escape, WritesTheFormsOfPostgres) {
  for (Function escape : {&escape_string, &escape_string_portable}) {
    EXPECT_EQ(run(escape, ""), "\"\"");
    EXPECT_EQ(run(escape, "plain \x7f / ' \u00e9"), "\"plain \x7f / ' \u00e9\"");
    EXPECT_EQ(run(escape, "\b\f\n\r\t\"\\"), R"("\b\f\n\r\t\"\\")");
    EXPECT_EQ(run(escape, std::string("\0\x01\x0b\x1f", 4)), R"("\u0000\u0001\u000b\u001f")");
  }
}

TEST(Escape, EveryByteAtEveryPositionOfABlock) {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t at = 0; at < 33; ++at) {
      std::string text(33, 'x');
      text[at] = static_cast<char>(byte);
      ASSERT_EQ(run(&escape_string, text), reference(text)) << byte << " at " << at;
      ASSERT_EQ(run(&escape_string_portable, text), reference(text));
    }
  }
}

TEST(Escape, RandomTextsMatchTheReference) {
  std::mt19937 random(42);
  for (int i = 0; i < 20000; ++i) {
    // From mostly clean to mostly special.
    const unsigned special = i % 5;
    std::string text(random() % 100, 'x');
    for (char& c : text)
      c = static_cast<char>(random() % 5 < special ? random() % 0x30 : random());
    ASSERT_EQ(run(&escape_string, text), reference(text));
    ASSERT_EQ(run(&escape_string_portable, text), reference(text));
  }
}

TEST(Escape, TheWorstCaseFitsTheRoom) {
  const std::string text(1000, '\x01');
  EXPECT_LE(run(&escape_string, text).size(), max_escaped_size(text.size()));
}

}  // namespace
}  // namespace hydra::json
