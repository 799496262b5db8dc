#include "base/clock.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>

namespace hydra {
namespace {

TEST(Clock, WritesTheThreeForms) {
  EXPECT_EQ(amz_date(1369353600), "20130524T000000Z");
  EXPECT_EQ(utc_minute(1454212859), "201601310400");
  EXPECT_EQ(iso8601(1769832000123456), "2026-01-31T04:00:00.123456Z");
}

TEST(Clock, KnowsLeapDays) {
  EXPECT_EQ(amz_date(1709164800), "20240229T000000Z");
  EXPECT_EQ(amz_date(4107542400), "21000301T000000Z");
}

TEST(Clock, RoundsDownBefore1970) {
  EXPECT_EQ(iso8601(-1), "1969-12-31T23:59:59.999999Z");
  EXPECT_EQ(iso8601(0), "1970-01-01T00:00:00.000000Z");
  EXPECT_EQ(utc_minute(-1), "196912312359");
}

TEST(Clock, IgnoresTheLocalTimeZone) {
  setenv("TZ", "Asia/Kolkata", 1);
  tzset();
  EXPECT_EQ(amz_date(0), "19700101T000000Z");
  unsetenv("TZ");
  tzset();
}

TEST(ParseIso8601, ReadsTheTimesOfCredentials) {
  EXPECT_EQ(parse_iso8601("2013-05-24T00:00:00Z"), 1369353600);
  EXPECT_EQ(parse_iso8601("2013-05-24T00:00:00.123456Z"), 1369353600);
  EXPECT_EQ(parse_iso8601("2013-05-24T02:30:00+02:30"), 1369353600);
  EXPECT_EQ(parse_iso8601("2013-05-23T19:00:00-05:00"), 1369353600);
  for (const char* bad : {"", "2013-05-24", "2013-05-24T00:00:00", "2013-13-24T00:00:00Z",
                          "2013-05-24T25:00:00Z", "2013-05-24T00:00:00.", "2013-05-24T00:00:00Zx"})
    EXPECT_EQ(parse_iso8601(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace hydra
