#include "bucket/claim.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace hydra::bucket {
namespace {

TEST(Claim, SaysWhoWrites) {
  const Claim claim{18446744073709551615u, "shop \"1\"",          "gr\u00f6\u00dfe", 7,
                    "202611220400_002",    "2026-11-22T04:00:00Z"};
  EXPECT_EQ(serialize(claim),
            "{\"version\":1,\"system_identifier\":\"18446744073709551615\","
            "\"database\":\"shop \\\"1\\\"\",\"destination\":\"gr\u00f6\u00dfe\",\"export_id\":7,"
            "\"folder\":\"202611220400_002\",\"started_at\":\"2026-11-22T04:00:00Z\"}\n");
}

TEST(Claim, IsUtf8) {
  Claim claim;
  claim.database = "\xff";
  EXPECT_THROW(serialize(claim), std::runtime_error);
}

}  // namespace
}  // namespace hydra::bucket
