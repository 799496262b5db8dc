#include "s3/session.hpp"

#include <gtest/gtest.h>

namespace hydra::s3 {
namespace {

constexpr const char* key = "p/a.json";

Session session(const char* places, const char* endpoint) {
  return Session({"data", "eu-west-1", endpoint}, Places(places), {}, [] { return 0; });
}

// Where the session goes after the answer; '' where it learns nothing.
std::string learnt(const char* places, const char* endpoint, const Answer& answer) {
  Session learner = session(places, endpoint);
  const bool moved = learner.learn(parse_failure(answer), learner.lessons(), key);
  return moved ? learner.endpoint().url() : "";
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
  EXPECT_THROW(session("", "http://127.0.0.1:9"), std::runtime_error);
  EXPECT_THROW(session("aws/other", ""), std::runtime_error);
  EXPECT_FALSE(session("aws/data", "").may_reach_special());
  EXPECT_TRUE(session("http://127.0.0.1:9/data", "http://127.0.0.1:9").may_reach_special());
}

TEST(Session, ARegionLeadsToNoOtherPlace) {
  const std::string east = "https://data.s3.us-east-1.amazonaws.com";
  EXPECT_EQ(learnt("", "", wrong_region("us-east-1")), east);
  EXPECT_EQ(learnt("aws/data", "", wrong_region("us-east-1")), east);
  EXPECT_EQ(learnt("https://s3.eu-west-1.amazonaws.com/data", "", wrong_region("us-east-1")), "");
  EXPECT_EQ(learnt("", "", wrong_region("cn-north-1")), "");
  EXPECT_EQ(learnt("", "", wrong_region("eu-central-x1")), "");
  EXPECT_EQ(learnt("aws/data, aws-us-gov/data", "", wrong_region("us-gov-west-1")), "");
  EXPECT_EQ(learnt("", "https://a.example", wrong_region("cn-north-1")), "https://a.example/data");
}

TEST(Session, ARedirectLeadsWhereDataMayGo) {
  const char* list = "https://a.example/data, https://*.b.example/data, http://127.0.0.1:9/data";
  EXPECT_EQ(learnt(list, "https://a.example", moved_to("https://x.b.example/data")),
            "https://x.b.example/data");
  for (const char* other : {"https://evil.example/data", "https://data.evil.example",
                            "https://a.example/x/data", "https://127.0.0.1/data"})
    EXPECT_EQ(learnt(list, "https://a.example", moved_to(other)), "") << other;
  EXPECT_EQ(learnt("", "https://a.example", moved_to("https://evil.example/data")),
            "https://evil.example/data");
  EXPECT_EQ(learnt("", "https://a.example", moved_to("https://169.254.169.254/data")), "");
  EXPECT_EQ(learnt("aws/data", "", moved_to("https://data.evil.example")), "");
}

// A host that a wildcard allowed may have no special address, though the one before it may.
TEST(Session, ARedirectTakesNoLeaveAlong) {
  Session learner =
      session("https://a.example/data, https://*.b.example/data", "https://a.example");
  EXPECT_TRUE(learner.may_reach_special());
  learner.learn(parse_failure(moved_to("https://x.b.example/data")), learner.lessons(), key);
  EXPECT_EQ(learner.endpoint().host, "x.b.example");
  EXPECT_FALSE(learner.may_reach_special());
}

}  // namespace
}  // namespace hydra::s3
