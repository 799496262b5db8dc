// A client that fetches its keys: before the first upload, before they expire, and after they have
// expired.
#include <jansson.h>

#include "base/clock.hpp"
#include "client_fixture.hpp"
#include "s3/credentials/chain.hpp"

namespace hydra::s3 {
namespace {

using namespace hydra::s3::test;

class RefreshTest : public ClientTest {
 protected:
  RefreshTest() {
    host_.variable = [this](const std::string& name) { return variables_[name]; };
    host_.file = [this](const std::string& path) -> std::optional<std::string> {
      return files_[path];
    };
    options_.now = [this] { return now_; };
  }

  Reply keys(const std::string& name, std::int64_t life) const {
    return {Reply::answer, 200,
            R"({"AccessKeyId": ")" + name + R"(", "SecretAccessKey": "s", "Token": "t", )" +
                R"("Expiration": ")" + iso8601((now_ + life) * 1000000) + "\"}"};
  }

  void use(const std::string& source) {
    options_.source = credentials::make_source({source, {}, "", ""}, options_.target, host_);
  }
  void use_container() {
    variables_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://" + service_.host() + "/keys";
    use("container");
  }

  // The access keys that uploads were signed with.
  std::string signers() {
    std::string names;
    for (const Received& request : server_.received()) {
      const std::string text = request.headers.at("authorization");
      const std::size_t start = text.find("Credential=") + 11;
      names += text.substr(start, text.find('/', start) - start) + ' ';
    }
    return names;
  }

  Outcome put(Client& client, std::uint64_t tag) {
    client.put(upload_of(tag, "x"));
    return std::move(wait_for(client).at(0));
  }

  std::int64_t now_ = 1369353600;
  HttpServer service_;  // that hands out keys
  std::map<std::string, std::string> variables_, files_;
  credentials::HostEnvironment host_;
};

TEST_F(RefreshTest, FetchesKeysBeforeTheFirstUpload) {
  service_.script({keys("AK1", 3600)});
  use_container();
  Client client(options_);
  client.put(upload_of(1, "x"));
  client.put(upload_of(2, "x"));
  for (const Outcome& outcome : wait_for(client))
    EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(signers(), "AK1 AK1 ");
  EXPECT_EQ(server_.received()[0].headers.at("x-amz-security-token"), "t");
  EXPECT_EQ(service_.received().size(), 1u);
  EXPECT_EQ(client.identity().source, "container");
  EXPECT_EQ(client.identity().expires_at, now_ + 3600);
}

TEST_F(RefreshTest, AsksTheInstanceInThreeSteps) {
  variables_["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = "http://" + service_.host();
  service_.script({{Reply::answer, 200, "TOKEN"}, {Reply::answer, 200, "role"}, keys("AK1", 3600)});
  use("instance");
  EXPECT_TRUE(upload().ok);
  const auto asked = service_.received();
  ASSERT_EQ(asked.size(), 3u);
  EXPECT_EQ(asked[0].line, "PUT /latest/api/token HTTP/1.1");
  EXPECT_EQ(asked[1].line, "GET /latest/meta-data/iam/security-credentials/ HTTP/1.1");
  EXPECT_EQ(asked[2].line, "GET /latest/meta-data/iam/security-credentials/role HTTP/1.1");
  EXPECT_EQ(asked[2].headers.at("x-aws-ec2-metadata-token"), "TOKEN");
}

TEST_F(RefreshTest, PostsToSts) {
  variables_["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/token";
  variables_["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/x";
  variables_["AWS_ENDPOINT_URL_STS"] = "http://" + service_.host();
  files_["/token"] = "JWT";
  service_.script(
      {{Reply::answer, 200, "<AccessKeyId>AK1</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"}});
  use("web_identity");
  EXPECT_TRUE(upload().ok);
  EXPECT_EQ(service_.received().at(0).line, "POST / HTTP/1.1");
  EXPECT_NE(service_.received().at(0).body.find("WebIdentityToken=JWT"), std::string::npos);
}

TEST_F(RefreshTest, RenewsKeysBeforeTheyEnd) {
  service_.script({keys("AK1", 3600), keys("AK2", 7200)});
  use_container();
  Client client(options_);
  EXPECT_TRUE(put(client, 1).ok);
  now_ += 2600;  // 1,000 seconds are left
  EXPECT_TRUE(put(client, 2).ok);
  EXPECT_EQ(service_.received().size(), 1u);
  now_ += 200;  // 800
  put(client, 3);
  const auto stop = Clock::now() + milliseconds{3000};
  while (service_.received().size() < 2 && Clock::now() < stop)
    client.perform();
  for (int i = 0; i < 100; ++i) {
    poll(nullptr, 0, 1);
    client.perform();
  }
  EXPECT_TRUE(put(client, 4).ok);
  EXPECT_TRUE(signers().ends_with("AK2 "));
}

TEST_F(RefreshTest, KeysThatAreStillGoodOutlastATroubledSource) {
  service_.script({keys("AK1", 3600), {Reply::answer, 500}, {Reply::answer, 500}});
  use_container();
  Client client(options_);
  EXPECT_TRUE(put(client, 1).ok);
  now_ += 3000;
  EXPECT_TRUE(put(client, 2).ok);
  EXPECT_TRUE(put(client, 3).ok);
  EXPECT_EQ(signers(), "AK1 AK1 AK1 ");
}

TEST_F(RefreshTest, DoesNotSignWithKeysThatHaveEnded) {
  service_.script({keys("AK1", 3600), {Reply::answer, 500}, keys("AK2", 9999)});
  use_container();
  Client client(options_);
  EXPECT_TRUE(put(client, 1).ok);
  now_ += 3600;
  EXPECT_TRUE(put(client, 2).ok);
  EXPECT_EQ(signers(), "AK1 AK2 ");
}

TEST_F(RefreshTest, FetchesAnewWhenTheStoreSaysSo) {
  for (const char* code : {"ExpiredToken", "InvalidToken", "ExpiredTokenException"}) {
    service_.script({keys("AK1", 36000), keys("AK2", 36000)});
    server_.script({{Reply::answer, 400, "<Code>" + std::string(code) + "</Code>"}});
    use_container();
    const Outcome outcome = upload();
    EXPECT_TRUE(outcome.ok) << code;
    EXPECT_EQ(outcome.attempts, 2);
    EXPECT_TRUE(signers().ends_with("AK1 AK2 "));
  }
}

TEST_F(RefreshTest, ButOnlyOnce) {
  service_.script({keys("AK1", 36000), keys("AK2", 36000), keys("AK3", 36000)});
  const Reply expired{Reply::answer, 400, "<Code>ExpiredToken</Code>"};
  server_.script({expired, expired, expired});
  use_container();
  const Outcome outcome = upload();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.attempts, 2);
  EXPECT_EQ(outcome.failure->code, "ExpiredToken");
}

TEST_F(RefreshTest, GivenKeysCannotBeFetchedAnew) {
  server_.script({{Reply::answer, 400, "<Code>ExpiredToken</Code>"}});
  EXPECT_EQ(upload().attempts, 1);
}

TEST_F(RefreshTest, WithoutKeysNothingIsSent) {
  service_.script({{Reply::answer, 403}});
  use_container();
  Client client(options_);
  client.put(upload_of(1, "x"));
  client.put(upload_of(2, "x"));
  const auto outcomes = wait_for(client);
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes[0].failure->text(), "no credentials: container answered 403");
  EXPECT_EQ(outcomes[0].failure->action, Action::stop);
  EXPECT_TRUE(server_.received().empty());
}

TEST_F(RefreshTest, ATroubledSourceIsAskedAgain) {
  service_.script({{Reply::answer, 503}, {Reply::reset}, keys("AK1", 3600)});
  use_container();
  EXPECT_TRUE(upload().ok);
  EXPECT_EQ(service_.received().size(), 3u);
}

TEST_F(RefreshTest, CancelDropsAFetchToo) {
  service_.script({{Reply::hang}});
  use_container();
  Client client(options_);
  client.put(upload_of(1, "x"));
  while (service_.received().empty())
    client.perform();
  client.cancel();
  EXPECT_TRUE(client.watches().empty());
  EXPECT_EQ(client.pending(), 0u);
  service_.script({keys("AK1", 3600)});
  EXPECT_TRUE(put(client, 2).ok);
}

}  // namespace
}  // namespace hydra::s3
