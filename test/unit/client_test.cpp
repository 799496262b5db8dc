#include "s3/client.hpp"

#include <csignal>
#include <set>

#include "client_fixture.hpp"
#include "s3/sigv4.hpp"

namespace hydra::s3 {
namespace {

using namespace hydra::s3::test;

TEST_F(ClientTest, StoresAnObject) {
  const Outcome outcome = upload("{\"id\":1}\n");
  EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(outcome.tag, 1u);
  EXPECT_EQ(outcome.key, "201601310400/orders/1-x%2Dy.json");
  EXPECT_EQ(outcome.etag, "0123abc");
  EXPECT_EQ(outcome.attempts, 1);
  EXPECT_EQ(outcome.bytes, 9u);
  EXPECT_FALSE(outcome.failure);
  const Received request = server_.received().at(0);
  EXPECT_EQ(request.line, "PUT /data/201601310400/orders/1-x%252Dy.json HTTP/1.1");
  EXPECT_EQ(request.body, "{\"id\":1}\n");
  EXPECT_EQ(request.headers.at("content-length"), "9");
  EXPECT_EQ(request.headers.at("user-agent"), "hydra_export/test");
  EXPECT_FALSE(request.headers.contains("expect"));
  EXPECT_FALSE(request.headers.contains("transfer-encoding"));
}

// The signature is computed again from what arrived: what is signed is what was sent.
TEST_F(ClientTest, SignsWhatItSends) {
  const Credentials keys{"AKIDEXAMPLE", "not-so-secret", "token"};
  use(keys);
  options_.now = [] { return 1369353600; };
  upload("abc");
  const Received received = server_.received().at(0);
  EXPECT_EQ(received.headers.at("host"), server_.host());
  EXPECT_EQ(received.headers.at("x-amz-date"), "20130524T000000Z");
  EXPECT_EQ(received.headers.at("x-amz-content-sha256"), hex(sha256("abc")));
  EXPECT_EQ(received.headers.at("x-amz-security-token"), "token");
  EXPECT_EQ(received.headers.at("content-type"), "application/x-ndjson");

  Request request{"PUT", "", "", {}, received.headers.at("x-amz-content-sha256")};
  request.path = received.line.substr(4, received.line.rfind(' ') - 4);
  for (const char* name :
       {"host", "content-type", "x-amz-content-sha256", "x-amz-date", "x-amz-security-token"})
    request.headers.emplace_back(name, received.headers.at(name));
  EXPECT_EQ(received.headers.at("authorization"),
            authorization(request, {"20130524T000000Z", "eu-west-1"}, keys));
}

TEST_F(ClientTest, TriesAgainSignedAnew) {
  server_.script({{Reply::answer, 503, "<Error><Code>SlowDown</Code></Error>"}, {}});
  std::int64_t now = 1369353600;
  options_.now = [&] { return now += 60; };
  const Outcome outcome = upload("abc");
  EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(outcome.attempts, 2);
  ASSERT_TRUE(outcome.failure);
  EXPECT_EQ(outcome.failure->code, "SlowDown");
  const auto received = server_.received();
  ASSERT_EQ(received.size(), 2u);
  EXPECT_EQ(received[1].body, "abc");
  EXPECT_LT(received[0].headers.at("x-amz-date"), received[1].headers.at("x-amz-date"));
  EXPECT_NE(received[0].headers.at("authorization"), received[1].headers.at("authorization"));
}

TEST_F(ClientTest, StopsAtRefusals) {
  server_.script({{Reply::answer, 403,
                   "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"}});
  const Outcome outcome = upload();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.attempts, 1);
  ASSERT_TRUE(outcome.failure);
  EXPECT_EQ(outcome.failure->text(),
            "S3 answered 403 AccessDenied: Access Denied (request id REQ1)");
}

TEST_F(ClientTest, ReportsTheRefusalThatSettledIt) {
  server_.script({{Reply::answer, 500}, {Reply::answer, 404, "<Code>NoSuchBucket</Code>"}});
  const Outcome outcome = upload();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.attempts, 2);
  EXPECT_EQ(outcome.failure->code, "NoSuchBucket");
}

TEST_F(ClientTest, GivesUpAfterTheLastAttempt) {
  options_.max_attempts = 3;
  server_.script({{Reply::answer, 502}, {Reply::answer, 503}, {Reply::answer, 500}});
  const Outcome outcome = upload();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.attempts, 3);
  EXPECT_EQ(outcome.failure->http_status, 502);
  EXPECT_EQ(server_.received().size(), 3u);
}

TEST_F(ClientTest, SurvivesAReset) {
  server_.script({{Reply::reset}, {}});
  const Outcome outcome = upload(random_text(1 << 20));
  EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(outcome.attempts, 2);
  ASSERT_TRUE(outcome.failure);
  EXPECT_EQ(outcome.failure->http_status, 0);
  EXPECT_TRUE(outcome.failure->text().starts_with("no answer from " + server_.host() + ": "));
}

TEST_F(ClientTest, SaysThatNobodyListens) {
  options_.max_attempts = 2;
  options_.target.endpoint = "http://127.0.0.1:1";
  const Outcome outcome = upload();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.attempts, 2);
  EXPECT_TRUE(outcome.failure->text().starts_with("no answer from 127.0.0.1:1: "));
}

// The timeout limits the time without progress, not the whole attempt.
TEST_F(ClientTest, HasPatienceWithAServerThatReadsSlowly) {
  options_.request_timeout = milliseconds{1000};
  options_.max_attempts = 1;
  server_.script({{Reply::slow}});
  const auto start = Clock::now();
  EXPECT_TRUE(upload(std::string(16 << 20, 'x')).ok);
  EXPECT_GT(Clock::now() - start, milliseconds{2000}) << "too fast to tell";
}

TEST_F(ClientTest, GivesUpOnAServerThatHangs) {
  options_.request_timeout = milliseconds{1000};
  options_.max_attempts = 1;
  server_.script({{Reply::hang}});
  const auto start = Clock::now();
  const Outcome outcome = upload();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.failure->http_status, 0);
  EXPECT_EQ(outcome.failure->action, Action::retry);
  EXPECT_GE(Clock::now() - start, milliseconds{900});
  EXPECT_LT(Clock::now() - start, milliseconds{9000});
}

TEST_F(ClientTest, ReadsAnAnswerThatComesBeforeTheBodyIsSent) {
  server_.script({{Reply::early, 403, "<Error><Code>InvalidAccessKeyId</Code></Error>"}});
  const Outcome outcome = upload(random_text(8 << 20));
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.attempts, 1);
  EXPECT_EQ(outcome.failure->code, "InvalidAccessKeyId");
}

TEST_F(ClientTest, ARefusalCutShortIsStillARefusal) {
  server_.script({{Reply::cut_short, 403, "<Error><Code>AccessDenied</Code>"}});
  const Outcome outcome = upload();
  EXPECT_EQ(outcome.attempts, 1);
  EXPECT_EQ(outcome.failure->code, "AccessDenied");
}

TEST_F(ClientTest, CapsTheAnswer) {
  const std::string padding(1 << 20, ' ');
  server_.script({{Reply::answer, 400, padding + "<Code>TooFar</Code>"}});
  EXPECT_EQ(upload().failure->code, "");
}

TEST_F(ClientTest, SendsLargeBodiesIntact) {
  const std::string text = random_text(8 << 20);
  const Outcome outcome = upload(text);
  EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(outcome.bytes, text.size());
  EXPECT_TRUE(server_.received().at(0).body == text);
}

TEST_F(ClientTest, SendsALargeBodyFromItsStartAgain) {
  server_.script({{Reply::answer, 503}, {}});
  const std::string text = random_text(3 << 20);
  EXPECT_TRUE(upload(text).ok);
  EXPECT_TRUE(server_.received().at(1).body == text);
}

TEST_F(ClientTest, SendsAnEmptyBody) {
  EXPECT_TRUE(upload("").ok);
  EXPECT_EQ(server_.received().at(0).headers.at("content-length"), "0");
}

// As in a scan loop, which polls no socket and knows no timeout. (libcurl's own timers would only
// send one buffer a second.)
TEST_F(ClientTest, PerformAloneMovesEverythingForward) {
  const std::string text = random_text(2 << 20);
  server_.script({{Reply::answer, 503}, {Reply::reset}});
  Client client(options_);
  for (std::uint64_t tag = 1; tag <= 6; ++tag)
    client.put(upload_of(tag, text));
  const auto stop = Clock::now() + milliseconds{5000};
  while (client.pending() > 0 && Clock::now() < stop)
    client.perform();
  const auto outcomes = client.take_outcomes();
  ASSERT_EQ(outcomes.size(), 6u);
  for (const Outcome& outcome : outcomes)
    EXPECT_TRUE(outcome.ok);
}

TEST_F(ClientTest, NeverWaits) {
  server_.script({{Reply::hang}});
  Client client(options_);
  client.put(upload_of(1, random_text(1 << 20)));
  for (int i = 0; i < 200; ++i) {
    const auto start = Clock::now();
    client.perform();
    ASSERT_LT(Clock::now() - start, milliseconds{200});
  }
  EXPECT_EQ(client.pending(), 1u);
}

TEST_F(ClientTest, UsesConnectionsAgain) {
  options_.concurrency = 2;
  Client client(options_);
  for (std::uint64_t tag = 1; tag <= 20; ++tag)
    client.put(upload_of(tag, "x"));
  const auto outcomes = wait_for(client);
  EXPECT_EQ(outcomes.size(), 20u);
  std::set<int> connections;
  for (const Received& request : server_.received())
    connections.insert(request.connection);
  EXPECT_LE(connections.size(), 2u);
}

TEST_F(ClientTest, KeepsToItsConcurrency) {
  options_.concurrency = 3;
  server_.script(std::deque<Reply>(10, Reply{Reply::hang}));
  Client client(options_);
  for (std::uint64_t tag = 1; tag <= 10; ++tag)
    client.put(upload_of(tag, "x"));
  const auto stop = Clock::now() + milliseconds{300};
  while (Clock::now() < stop)
    client.perform();
  EXPECT_EQ(server_.received().size(), 3u);
  EXPECT_EQ(client.pending(), 10u);
}

TEST_F(ClientTest, AWaitForARetryLeavesThePlaceToOthers) {
  options_.concurrency = 1;
  options_.retry_base = options_.retry_cap = milliseconds{300};
  server_.script({{Reply::answer, 503}});
  Client client(options_);
  client.put(upload_of(1, "first"));
  client.put(upload_of(2, "second"));
  const auto outcomes = wait_for(client);
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_TRUE(outcomes[0].ok && outcomes[1].ok);
  EXPECT_EQ(outcomes[0].attempts + outcomes[1].attempts, 3);
}

TEST_F(ClientTest, AStoreInTroubleIsNotAskedForMore) {
  options_.concurrency = 2;
  options_.max_attempts = 4;
  server_.script(std::deque<Reply>(1000, Reply{Reply::answer, 503}));
  Client client(options_);
  for (std::uint64_t tag = 1; tag <= 100; ++tag)
    client.put(upload_of(tag, "x"));
  while (client.take_outcomes().empty())
    client.perform();
  EXPECT_LT(server_.received().size(), 25u);
}

TEST_F(ClientTest, TheVersionChangesWithTheWatches) {
  Client client(options_);
  const auto before = client.watches_version();
  EXPECT_TRUE(client.watches().empty());
  EXPECT_FALSE(client.timeout());
  client.put(upload_of(1, "x"));
  ASSERT_TRUE(client.timeout());
  client.perform();
  EXPECT_NE(client.watches_version(), before);
  wait_for(client);
  EXPECT_TRUE(client.watches().empty());
}

TEST_F(ClientTest, CancelDropsEverythingAtOnce) {
  int alive = 0;
  options_.concurrency = 2;
  server_.script({{Reply::hang}, {Reply::hang}});
  Client client(options_);
  for (std::uint64_t tag = 1; tag <= 5; ++tag)
    client.put(upload_of(tag, random_text(100), &alive));
  for (int i = 0; i < 50; ++i)
    client.perform();
  EXPECT_EQ(alive, 5);
  client.cancel();
  EXPECT_EQ(alive, 0);
  EXPECT_EQ(client.pending(), 0u);
  EXPECT_TRUE(client.watches().empty());
  EXPECT_TRUE(client.take_outcomes().empty());

  server_.script({});
  client.put(upload_of(6, "after"));
  const auto outcomes = wait_for(client);
  ASSERT_EQ(outcomes.size(), 1u);
  EXPECT_TRUE(outcomes[0].ok);
}

TEST_F(ClientTest, DestructionReleasesBodies) {
  int alive = 0;
  {
    server_.script({{Reply::hang}});
    Client client(options_);
    client.put(upload_of(1, "x", &alive));
    client.perform();
  }
  EXPECT_EQ(alive, 0);
}

TEST_F(ClientTest, GoesOnlyWhereDataMayGo) {
  options_.places = Places("");
  EXPECT_THROW(Client{options_}, std::runtime_error);
  EXPECT_TRUE(server_.received().empty());
}

TEST_F(ClientTest, ResolvesNamesWithoutWaiting) {
  options_.target.endpoint = "http://localhost:" + std::to_string(server_.port());
  EXPECT_TRUE(upload().ok);
}

TEST_F(ClientTest, RefusesSecretsThatWouldAddHeaders) {
  use({"AKIDEXAMPLE", "not-so-secret", "a\r\nx-amz-acl: public-read"});
  const Outcome outcome = upload();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.failure->text().find("public"), std::string::npos);
  EXPECT_TRUE(server_.received().empty());
}

// While libcurl runs it calls the body: the mask seen there is the one a resolver thread inherits.
struct Probe : Text {
  using Text::Text;
  static inline int open = 0, reads = 0;
  std::size_t read(char* to, std::size_t room) noexcept override {
    sigset_t mask;
    pthread_sigmask(SIG_SETMASK, nullptr, &mask);
    for (int number : {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGALRM, SIGQUIT})
      open += sigismember(&mask, number) == 0;
    ++reads;
    return Text::read(to, room);
  }
};

TEST_F(ClientTest, SignalsAreBlockedWhileLibcurlRuns) {
  const std::string text = random_text(1 << 20);
  const auto probe = [&] {
    return Upload{1, "key", std::make_unique<Probe>(text), hex(sha256(text)), ""};
  };
  Client client(options_);
  client.put(probe());
  wait_for(client);
  client.put(probe());
  while (client.pending() > 0)
    client.perform();
  EXPECT_GT(Probe::reads, 2);
  EXPECT_EQ(Probe::open, 0);
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, nullptr, &after);
  EXPECT_EQ(sigismember(&after, SIGTERM), 0);
}

TEST_F(ClientTest, LeavesDotsInKeysAlone) {
  Client client(options_);
  client.put({1, "a/../b/./c", std::make_unique<Text>("x"), hex(sha256("x")), ""});
  wait_for(client);
  EXPECT_EQ(server_.received().at(0).line, "PUT /data/a/../b/./c HTTP/1.1");
}

}  // namespace
}  // namespace hydra::s3
