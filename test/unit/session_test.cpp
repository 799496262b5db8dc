#include "s3/session.hpp"

#include <gtest/gtest.h>

namespace hydra::s3 {
namespace {

constexpr const char* key = "p/a.json";

Session new_session(const char* places, const char* endpoint) {
  return Session({"data", "eu-west-1", endpoint}, Places(places), [] { return 0; });
}

// The session's endpoint after the response; '' if it does not change.
std::string moved_to_url(const char* places, const char* endpoint, const Answer& answer) {
  Session session = new_session(places, endpoint);
  const bool moved = session.correct(parse_failure(answer), session.corrections(), key);
  return moved ? session.endpoint().url() : "";
}

Answer wrong_region(const std::string& region) {
  Answer answer;
  answer.status = 301;
  answer.body = "<Error><Code>PermanentRedirect</Code><Region>" + region + "</Region></Error>";
  return answer;
}

Answer moved_to(const std::string& base) {
  Answer answer;
  answer.status = 307;
  answer.body = "<Error><Code>TemporaryRedirect</Code></Error>";
  answer.location = base + '/' + key;
  return answer;
}

TEST(Session, BeginsOnlyWhereDataMayGo) {
  EXPECT_THROW(new_session("", "http://127.0.0.1:9"), std::runtime_error);
  EXPECT_THROW(new_session("aws/other", ""), std::runtime_error);
  EXPECT_FALSE(new_session("aws/data", "").may_reach_special());
  EXPECT_TRUE(new_session("http://127.0.0.1:9/data", "http://127.0.0.1:9").may_reach_special());
}

TEST(Session, ARegionLeadsToNoOtherPlace) {
  const std::string east = "https://data.s3.us-east-1.amazonaws.com";
  EXPECT_EQ(moved_to_url("", "", wrong_region("us-east-1")), east);
  EXPECT_EQ(moved_to_url("aws/data", "", wrong_region("us-east-1")), east);
  EXPECT_EQ(moved_to_url("https://s3.eu-west-1.amazonaws.com/data", "", wrong_region("us-east-1")),
            "");
  EXPECT_EQ(moved_to_url("", "", wrong_region("cn-north-1")), "");
  EXPECT_EQ(moved_to_url("", "", wrong_region("eu-central-x1")), "");
  EXPECT_EQ(moved_to_url("aws/data, aws-us-gov/data", "", wrong_region("us-gov-west-1")), "");
  EXPECT_EQ(moved_to_url("", "https://a.example", wrong_region("cn-north-1")),
            "https://a.example/data");
}

TEST(Session, ARedirectLeadsWhereDataMayGo) {
  const char* list = "https://a.example/data, https://*.b.example/data, http://127.0.0.1:9/data";
  EXPECT_EQ(moved_to_url(list, "https://a.example", moved_to("https://x.b.example/data")),
            "https://x.b.example/data");
  for (const char* other : {"https://evil.example/data", "https://data.evil.example",
                            "https://a.example/x/data", "https://127.0.0.1/data"})
    EXPECT_EQ(moved_to_url(list, "https://a.example", moved_to(other)), "") << other;
  EXPECT_EQ(moved_to_url("", "https://a.example", moved_to("https://evil.example/data")),
            "https://evil.example/data");
  EXPECT_EQ(moved_to_url("", "https://a.example", moved_to("https://169.254.169.254/data")), "");
  EXPECT_EQ(moved_to_url("aws/data", "", moved_to("https://data.evil.example")), "");
}

// A host that a wildcard allows may not have a special address, even if the previous host may.
TEST(Session, ARedirectTakesNoLeaveAlong) {
  Session session =
      new_session("https://a.example/data, https://*.b.example/data", "https://a.example");
  EXPECT_TRUE(session.may_reach_special());
  session.correct(parse_failure(moved_to("https://x.b.example/data")), session.corrections(), key);
  EXPECT_EQ(session.endpoint().host, "x.b.example");
  EXPECT_FALSE(session.may_reach_special());
}

}  // namespace
}  // namespace hydra::s3
