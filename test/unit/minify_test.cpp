#include "json/minify.hpp"

#include <gtest/gtest.h>

#include <string>

namespace hydra::json {
namespace {

std::string in_place(std::string text) {
  text.resize(minify(text.data(), text.data(), text.size()));
  return text;
}

TEST(Minify, RemovesWhitespaceOutsideStrings) {
  EXPECT_EQ(in_place(" {\n\t\"a b\" : [ 1 ,\r\n 2.5e3, null ] } "), R"({"a b":[1,2.5e3,null]})");
}

TEST(Minify, KeepsStringsAsTheyAre) {
  for (const std::string text : {R"("a  b")", R"("\" : \\")", R"(" \\\" ")", "\"\u00e9 \u20ac\""}) {
    EXPECT_EQ(in_place(text), text);
  }
}

TEST(Minify, AnEscapedBackslashEndsNoEscapeOfAQuote) {
  EXPECT_EQ(in_place(R"({"a\\" : "b \" c" , "d" : 1})"), R"({"a\\":"b \" c","d":1})");
}

TEST(Minify, CopiesToAnotherPlace) {
  const std::string text = "[ 1, \"x y\" ]";
  std::string to(text.size(), '#');
  to.resize(minify(to.data(), text.data(), text.size()));
  EXPECT_EQ(to, "[1,\"x y\"]");
}

TEST(Minify, TakesNothing) {
  EXPECT_EQ(in_place(""), "");
}

}  // namespace
}  // namespace hydra::json
