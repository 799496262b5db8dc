#include "base/archive.hpp"

#include <gtest/gtest.h>

namespace hydra::test {

enum class Colour { red, blue };

struct Inner {
  std::string name;
  std::optional<int> number;

  bool operator==(const Inner&) const = default;
};

struct Outer {
  bool flag = false;
  Colour colour = Colour::red;
  std::uint64_t large = 0;
  std::vector<Inner> inner;
  std::optional<std::string> text;

  bool operator==(const Outer&) const = default;
};

template <typename Archive>
void fields(Archive& archive, Inner& inner) {
  archive(inner.name, inner.number);
}

template <typename Archive>
void fields(Archive& archive, Outer& outer) {
  archive(outer.flag, outer.colour, outer.large, outer.inner, outer.text);
}

const Outer full = {true,
                    Colour::blue,
                    18446744073709551615u,
                    {{"a", 1}, {std::string("\0b", 2), std::nullopt}},
                    "text"};

TEST(Archive, GivesBackWhatWasPacked) {
  EXPECT_EQ(unpack<Outer>(pack(full)), full);
  EXPECT_EQ(unpack<Outer>(pack(Outer{})), Outer{});
}

TEST(Archive, RefusesBytesThatEndTooSoon) {
  const std::string bytes = pack(full);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_THROW(unpack<Outer>(std::string_view(bytes).substr(0, size)), std::runtime_error)
        << size;
  }
}

}  // namespace hydra::test
