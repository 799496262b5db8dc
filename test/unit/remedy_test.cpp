// What the client does for each response in the table, and which corrections it makes.
#include "client_fixture.hpp"
#include "s3/sigv4.hpp"

namespace hydra::s3 {
namespace {

using namespace hydra::s3::test;

constexpr std::int64_t here = 1369353600;  // 2013-05-24 00:00:00

std::string code(const std::string& name, const std::string& more = "") {
  return "<Error><Code>" + name + "</Code>" + more + "</Error>";
}

class RemedyTest : public ClientTest {
 protected:
  RemedyTest() {
    options_.now = [] { return here; };
  }
  std::string header(std::size_t request, const std::string& name) {
    return server_.received().at(request).headers[name];
  }
};

// Without what a fix needs (a Date, a region, another source of credentials), it is a refusal.
TEST_F(RemedyTest, EachRowIsTriedAgainOrNot) {
  for (const KnownError& row : known_errors()) {
    const std::size_t before = server_.received().size();
    server_.script({{Reply::answer, row.status, code(std::string(row.code))}});
    const Outcome outcome = upload();
    const bool again = row.action == Action::retry;
    EXPECT_EQ(outcome.ok, again) << row.status << ' ' << row.code;
    EXPECT_EQ(server_.received().size() - before, again ? 2u : 1u) << row.status << ' ' << row.code;
    EXPECT_EQ(outcome.failure->http_status, row.status);
  }
}

TEST_F(RemedyTest, SignsByTheStoresClockFromThenOn) {
  const std::string date = "Date: Fri, 24 May 2013 03:00:00 GMT\r\n";
  server_.script({{Reply::answer, 403, code("RequestTimeTooSkewed"), date}});
  options_.max_attempts = 1;  // putting things right is not held against an upload
  options_.concurrency = 1;
  Client client(options_);
  client.put(upload_of(1, "a"));
  client.put(upload_of(2, "b"));
  for (const Outcome& outcome : wait_for(client))
    EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(header(0, "x-amz-date"), "20130524T000000Z");
  EXPECT_EQ(header(1, "x-amz-date"), "20130524T030000Z");
  EXPECT_EQ(header(2, "x-amz-date"), "20130524T030000Z");
}

TEST_F(RemedyTest, AClockIsPutRightOnce) {
  const std::string date = "Date: Fri, 24 May 2013 03:00:00 GMT\r\n";
  const std::string later = "Date: Fri, 24 May 2013 09:00:00 GMT\r\n";
  server_.script({{Reply::answer, 403, code("RequestTimeTooSkewed"), date},
                  {Reply::answer, 403, code("RequestTimeTooSkewed"), later}});
  const Outcome outcome = upload();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.attempts, 2);
  EXPECT_NE(outcome.failure->hint()->find("clock"), std::string::npos);
}

// The machine was paused, or the upload took too long.
TEST_F(RemedyTest, AnOldSignatureIsMadeAnew) {
  const std::string date = "Date: Fri, 24 May 2013 00:20:05 GMT\r\n";
  options_.now = [&] { return server_.received().empty() ? here : here + 1200; };
  server_.script({{Reply::answer, 403, code("RequestTimeTooSkewed"), date},
                  {Reply::answer, 403, code("RequestTimeTooSkewed"), date}});
  const Outcome outcome = upload();
  EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(outcome.attempts, 3);
  EXPECT_EQ(header(0, "x-amz-date"), "20130524T000000Z");
  EXPECT_EQ(header(1, "x-amz-date"), "20130524T002000Z");
}

TEST_F(RemedyTest, AsOftenAsAnyOtherAttempt) {
  options_.max_attempts = 3;
  const Reply old{Reply::answer, 403, code("RequestTimeTooSkewed"),
                  "Date: Fri, 24 May 2013 00:00:05 GMT\r\n"};
  server_.script({old, old, old, old});
  const Outcome outcome = upload();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.attempts, 3);
  EXPECT_EQ(outcome.failure->action, Action::retry);
  EXPECT_NE(outcome.failure->hint()->find("paused"), std::string::npos);
}

TEST_F(RemedyTest, SignsForTheRegionInTheBody) {
  server_.script(
      {{Reply::answer, 400, code("AuthorizationHeaderMalformed", "<Region>us-west-2</Region>")}});
  const Outcome outcome = upload();
  EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(outcome.failure->hint(), "Set region to \"us-west-2\".");
  EXPECT_NE(header(0, "authorization").find("/eu-west-1/s3/"), std::string::npos);
  EXPECT_NE(header(1, "authorization").find("/us-west-2/s3/"), std::string::npos);
}

TEST_F(RemedyTest, SignsForTheRegionInTheHeader) {
  server_.script({{Reply::answer, 301, "", "x-amz-bucket-region: us-west-2\r\n"}});
  EXPECT_TRUE(upload().ok);
  EXPECT_NE(header(1, "authorization").find("/us-west-2/s3/"), std::string::npos);
}

TEST_F(RemedyTest, ARegionThatFitsIsNotTheReason) {
  server_.script({{Reply::answer, 301, "", "x-amz-bucket-region: eu-west-1\r\n"}});
  EXPECT_EQ(upload().attempts, 1);
}

TEST_F(RemedyTest, FollowsARedirectWithinTheBucket) {
  for (int status : {307, 308}) {
    HttpServer other;
    const std::string key = "/data/201601310400/orders/1-x%252Dy.json";
    server_.script(
        {{Reply::answer, status, "", "Location: http://" + other.host() + key + "\r\n"}});
    const std::string text = random_text(2 << 20);
    const Outcome outcome = upload(text);
    EXPECT_TRUE(outcome.ok) << status;
    ASSERT_EQ(other.received().size(), 1u);
    EXPECT_TRUE(other.received()[0].body == text);
    EXPECT_EQ(other.received()[0].headers.at("host"), other.host());
  }
}

TEST_F(RemedyTest, DoesNotFollowARedirectElsewhere) {
  HttpServer other;
  for (const char* path :
       {"/other/201601310400/orders/1-x%252Dy.json", "/data/another.json", "/"}) {
    server_.script({{Reply::answer, 307, "", "Location: http://" + other.host() + path + "\r\n"}});
    EXPECT_FALSE(upload().ok) << path;
  }
  EXPECT_TRUE(other.received().empty());
}

// The host to which the first leads signs for a region of its own.
TEST_F(RemedyTest, LearnsTheHostAndThenItsRegion) {
  HttpServer other;
  const std::string key = "/data/201601310400/orders/1-x%252Dy.json";
  server_.script({{Reply::answer, 307, "", "Location: http://" + other.host() + key + "\r\n"}});
  other.script(
      {{Reply::answer, 400, code("AuthorizationHeaderMalformed", "<Region>us-west-2</Region>")}});
  options_.max_attempts = 1;
  const Outcome outcome = upload();
  EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(outcome.attempts, 3);
  ASSERT_EQ(other.received().size(), 2u);
  EXPECT_NE(other.received()[1].headers.at("authorization").find("/us-west-2/s3/"),
            std::string::npos);
}

TEST_F(RemedyTest, ARegionThatDoesNotHelpIsNotTriedTwice) {
  const auto wants = [](const char* region) {
    return Reply{
        Reply::answer, 400,
        code("AuthorizationHeaderMalformed", "<Region>" + std::string(region) + "</Region>")};
  };
  server_.script({wants("us-west-2"), wants("eu-west-1"), wants("us-west-2")});
  EXPECT_EQ(upload().attempts, 2);
}

TEST_F(RemedyTest, DoesNotRunInCircles) {
  HttpServer other;
  const std::string key = "/data/201601310400/orders/1-x%252Dy.json\r\n";
  server_.script({{Reply::answer, 307, "", "Location: http://" + other.host() + key}});
  other.script({{Reply::answer, 307, "", "Location: http://" + server_.host() + key}});
  EXPECT_EQ(upload().attempts, 2);
}

TEST_F(RemedyTest, WaitsAsLongAsTheStoreAsks) {
  server_.script({{Reply::answer, 503, code("SlowDown"), "Retry-After: 1\r\n"}});
  const auto start = Clock::now();
  EXPECT_TRUE(upload().ok);
  EXPECT_GE(Clock::now() - start, milliseconds{950});
}

TEST_F(RemedyTest, ButNotForever) {
  options_.longest_retry_after = milliseconds{100};
  server_.script({{Reply::answer, 503, code("SlowDown"), "Retry-After: 86400\r\n"}});
  const auto start = Clock::now();
  EXPECT_TRUE(upload().ok);
  EXPECT_LT(Clock::now() - start, milliseconds{3000});
}

TEST_F(RemedyTest, AfterALostAnswerAnObjectThatExistsIsOurs) {
  options_.conditional = true;
  for (const Reply& lost :
       {Reply{Reply::no_answer}, Reply{Reply::answer, 500}, Reply{Reply::answer, 504}}) {
    server_.script({lost, {Reply::answer, 412, code("PreconditionFailed")}});
    const Outcome outcome = upload(random_text(2 << 20));
    EXPECT_TRUE(outcome.ok);
    EXPECT_EQ(outcome.attempts, 2);
    EXPECT_EQ(outcome.etag, "");
  }
}

// libcurl itself sends it again where a connection was used before, and counts no attempt.
TEST_F(RemedyTest, AlsoWhereLibcurlTriesAgain) {
  options_.conditional = true;
  options_.concurrency = 1;
  server_.script({{}, {Reply::no_answer}, {Reply::answer, 412, code("PreconditionFailed")}});
  Client client(options_);
  client.put(upload_of(1, "a"));
  client.put(upload_of(2, "b"));
  for (const Outcome& outcome : wait_for(client)) {
    EXPECT_TRUE(outcome.ok);
    EXPECT_EQ(outcome.attempts, 1);
  }
  EXPECT_EQ(server_.received().size(), 3u);
}

TEST_F(RemedyTest, OtherwiseItIsAnothers) {
  options_.conditional = true;
  for (const Reply& before : {Reply{Reply::reset}, Reply{Reply::answer, 503, code("SlowDown")},
                              Reply{Reply::answer, 409, code("ConditionalRequestConflict")}}) {
    server_.script({before, {Reply::answer, 412, code("PreconditionFailed")}});
    // More than sockets hold: what is in the kernel counts as sent.
    const Outcome outcome = upload(std::string(before.kind == Reply::reset ? 32 << 20 : 10, 'x'));
    EXPECT_FALSE(outcome.ok);
    EXPECT_EQ(outcome.attempts, 2);
    EXPECT_NE(outcome.failure->hint()->find("nother exporter"), std::string::npos);
  }
}

TEST_F(RemedyTest, WithoutAConditionNothingIsExplained) {
  server_.script({{Reply::no_answer}, {Reply::answer, 412, code("PreconditionFailed")}});
  EXPECT_FALSE(upload().ok);
}

TEST_F(RemedyTest, AnUploadMayBeContentWithWhatIsThere) {
  options_.conditional = true;
  server_.script({{Reply::answer, 412}});
  Client client(options_);
  Upload check = upload_of(1, "x");
  check.existing = Existing::welcome;
  client.put(std::move(check));
  EXPECT_TRUE(wait_for(client).at(0).ok);
}

// A claim does not tell who stored it.
TEST_F(RemedyTest, AnUploadMayNeverTakeWhatIsThereForItsOwn) {
  options_.conditional = true;
  for (const Reply& lost : {Reply{Reply::no_answer}, Reply{Reply::answer, 500}}) {
    server_.script({lost, {Reply::answer, 412, code("PreconditionFailed")}});
    Client client(options_);
    Upload claim = upload_of(1, "x");
    claim.existing = Existing::taken;
    client.put(std::move(claim));
    const Outcome outcome = std::move(wait_for(client).at(0));
    EXPECT_FALSE(outcome.ok);
    EXPECT_TRUE(outcome.failure->exists());
  }
}

TEST_F(RemedyTest, MinioSaidNotModified) {
  options_.conditional = true;
  server_.script({{Reply::answer, 304}});
  EXPECT_TRUE(upload().failure->exists());
}

TEST_F(RemedyTest, AsksForTheConditionFromWhenItIsTold) {
  Client client(options_);
  for (const bool conditional : {false, true, false}) {
    client.set_conditional(conditional);
    client.put(upload_of(1, "x"));
    wait_for(client);
    EXPECT_EQ(server_.received().back().headers.count("if-none-match"), conditional ? 1u : 0u);
  }
}

TEST_F(RemedyTest, ARegionMayBeNamedWrong) {
  options_.target = {"data", "eu-cental-1", "", Addressing::automatic};
  options_.max_attempts = 1;
  const Outcome outcome = upload();
  EXPECT_FALSE(outcome.ok);
  EXPECT_NE(outcome.failure->hint()->find("region \"eu-cental-1\""), std::string::npos);
}

TEST_F(RemedyTest, SignsTheHeadersOfSettings) {
  options_.conditional = true;
  options_.object_headers = {{"x-amz-storage-class", "STANDARD_IA"}, {"cache-control", "no-store"}};
  EXPECT_TRUE(upload().ok);
  EXPECT_EQ(header(0, "if-none-match"), "*");
  EXPECT_EQ(header(0, "x-amz-storage-class"), "STANDARD_IA");
  EXPECT_NE(header(0, "authorization")
                .find("SignedHeaders=cache-control;content-type;host;if-none-match;"
                      "x-amz-content-sha256;x-amz-date;x-amz-storage-class,"),
            std::string::npos);
}

TEST_F(RemedyTest, GarbageForAnAnswerIsNoAnswer) {
  options_.max_attempts = 2;
  const Reply garbage{Reply::garbage};
  server_.script({garbage, garbage});
  const Outcome outcome = upload();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.attempts, 2);
  EXPECT_EQ(outcome.failure->http_status, 0);
}

}  // namespace
}  // namespace hydra::s3
