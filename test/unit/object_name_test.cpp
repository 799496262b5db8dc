#include "bucket/object_name.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>
#include <vector>

#include "base/percent.hpp"

namespace hydra::bucket {
namespace {

std::string join(std::initializer_list<std::string> parts) {
  return join_id(std::vector<std::string>(parts));
}

ObjectName name_of(std::string first, std::string last) {
  ObjectName name;
  name.prefix = "backup";
  name.folder = "201601310400";
  name.model = "orders";
  name.first_id = std::move(first);
  name.last_id = std::move(last);
  return name;
}

TEST(ObjectName, HoldsTheRangeOfIds) {
  EXPECT_EQ(object_key(name_of("1", "500")), "backup/201601310400/orders/1-500.json");
}

TEST(ObjectName, AddsTheSlashOfThePrefixOnlyWhereItIsMissing) {
  ObjectName name = name_of("1", "2");
  name.prefix = "backup/daily/";
  EXPECT_EQ(object_key(name), "backup/daily/201601310400/orders/1-2.json");
  name.prefix = "";
  EXPECT_EQ(object_key(name), "201601310400/orders/1-2.json");
}

TEST(ObjectName, ShowsItsNumberAndSuffix) {
  ObjectName name = name_of("1", "2");
  name.number = 7;
  name.suffix = ".json.gz";
  EXPECT_EQ(object_key(name), "backup/201601310400/orders/1-2~7.json.gz");
}

TEST(ObjectName, PlainIdsKeepTheirHyphens) {
  EXPECT_EQ(encode_id_part("-5", IdForm::plain), "-5");
  EXPECT_EQ(encode_id_part("2026-01-31 04:00:00", IdForm::plain), "2026-01-31%2004%3A00%3A00");
}

TEST(ObjectName, TextIdsHaveNoSeparatorsOfTheirOwn) {
  EXPECT_EQ(encode_id_part("a-b_c.d~e/f", IdForm::text), "a%2Db%5Fc.d~e%2Ff");
  const auto text = [](const char* value) { return encode_id_part(value, IdForm::text); };
  EXPECT_NE(object_key(name_of(text("a"), text("b-c"))),
            object_key(name_of(text("a-b"), text("c"))));
  EXPECT_NE(join({text("a_b"), text("c")}), join({text("a"), text("b_c")}));
}

TEST(ObjectName, NothingIsHiddenFromReaders) {
  EXPECT_EQ(join({".5"}), "%2E5");
  EXPECT_EQ(join({"", "a"}), "%5Fa");
  EXPECT_EQ(join({"a", ".b"}), "a_.b");
  EXPECT_EQ(encode_model("_orders"), "%5Forders");
  EXPECT_EQ(encode_model(".."), "%2E.");
  EXPECT_EQ(encode_model("sales.order items"), "sales.order%20items");
}

TEST(ObjectName, DifferentIdsOfSeveralColumnsNeverJoinToOne) {
  const std::vector<std::string> values = {"", "_", "-", ".", "a", "%5F", "%", "a_", "_a", "__"};
  std::set<std::string> joined;
  for (const auto& a : values) {
    for (const auto& b : values) {
      for (const auto& c : values)
        joined.insert(join({encode_id_part(a, IdForm::text), encode_id_part(b, IdForm::text),
                            encode_id_part(c, IdForm::text)}));
    }
  }
  EXPECT_EQ(joined.size(), values.size() * values.size() * values.size());
}

TEST(ObjectName, LongNamesAreCutToTheLimit) {
  const std::string id(2000, 'x');
  const std::string key = object_key(name_of(id, id));
  EXPECT_EQ(key.size(), max_key_bytes);
  EXPECT_TRUE(key.starts_with("backup/201601310400/orders/xxx"));
  EXPECT_EQ(key[key.size() - 5 - 65], '~');
  EXPECT_TRUE(key.ends_with(".json"));
}

TEST(ObjectName, NamesUpToTheLimitAreNotCut) {
  const std::string around = object_key(name_of("", "1"));
  const std::string first(max_key_bytes - around.size(), 'x');
  const std::string key = object_key(name_of(first, "1"));
  EXPECT_EQ(key.size(), max_key_bytes);
  EXPECT_TRUE(key.ends_with("x-1.json"));
  EXPECT_EQ(object_key(name_of(first + "x", "1")).size(), max_key_bytes);
  EXPECT_FALSE(object_key(name_of(first + "x", "1")).ends_with("x-1.json"));
}

TEST(ObjectName, CutsDoNotSplitAnEscape) {
  for (std::size_t shift = 0; shift < 3; ++shift) {
    const std::string id = std::string(shift, 'x') + percent_encode(std::string(500, '/'));
    const std::string key = object_key(name_of(id, id));
    const std::string ids = key.substr(27, key.size() - 27 - 65 - 5);
    ASSERT_GE(key.size(), max_key_bytes - 2);
    ASSERT_LE(key.size(), max_key_bytes);
    EXPECT_EQ((ids.size() - shift) % 3, 0u) << ids;
    EXPECT_TRUE(ids.ends_with("%2F"));
  }
}

TEST(ObjectName, CutNamesDifferWhereTheWholeNamesDo) {
  const std::string id(2000, 'x');
  ObjectName numbered = name_of(id, id);
  numbered.number = 1;
  ObjectName next = numbered;
  next.number = 2;
  const std::set<std::string> keys = {object_key(name_of(id, id + "1")),
                                      object_key(name_of(id, id + "2")), object_key(numbered),
                                      object_key(next)};
  EXPECT_EQ(keys.size(), 4u);
}

// A short id that was chosen to look like another object's truncated name.
TEST(ObjectName, AnIdCannotPoseAsACutName) {
  const std::string first(400, 'y');
  const std::string cut_mixed = object_key(name_of(first, std::string(1000, 'y')));
  const std::string shown = cut_mixed.substr(27, cut_mixed.size() - 27 - 5);
  const std::size_t hyphen = shown.find('-');
  ASSERT_NE(hyphen, std::string::npos);
  EXPECT_NE(object_key(name_of(shown.substr(0, hyphen), shown.substr(hyphen + 1))), cut_mixed);
}

TEST(ObjectName, ThrowsWhereNoRoomIsLeft) {
  ObjectName name = name_of("1", "2");
  name.model = std::string(1000, 'm');
  EXPECT_THROW(object_key(name), std::runtime_error);
}

TEST(ObjectName, TheManifestLiesInTheFolder) {
  EXPECT_EQ(manifest_key("", "201601310400"), "201601310400/_manifest.json");
  EXPECT_EQ(manifest_key("a/b", "201601310400_002"), "a/b/201601310400_002/_manifest.json");
  EXPECT_EQ(manifest_key("a/", "201601310400"), "a/201601310400/_manifest.json");
  EXPECT_EQ(claim_key("a/", "201601310400"), "a/201601310400/_claim.json");
}

}  // namespace
}  // namespace hydra::bucket
