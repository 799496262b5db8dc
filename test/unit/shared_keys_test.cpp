// Keys that one process fetches, and others sign with.
#include <gtest/gtest.h>

#include "client_fixture.hpp"
#include "s3/credentials/chain.hpp"
#include "s3/credentials/shared.hpp"

namespace hydra::s3::credentials {
namespace {

using namespace hydra::s3::test;

Found keys_of(const std::string& name) {
  return {{name, "secret", "token"}, 1000000, "instance"};
}

TEST(SharedKeys, ReadsWhatWasPublished) {
  SharedKeys keys;
  EXPECT_FALSE(keys.read(0));
  ASSERT_TRUE(keys.publish(keys_of("AK1")));
  const auto read = keys.read(0);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->found.keys.access_key, "AK1");
  EXPECT_EQ(read->found.keys.secret_key, "secret");
  EXPECT_EQ(read->found.keys.session_token, "token");
  EXPECT_EQ(read->found.expires_at, 1000000);
  EXPECT_EQ(read->found.source, "instance");
  EXPECT_FALSE(keys.read(read->number));
  keys.publish(keys_of("AK2"));
  EXPECT_EQ(keys.read(read->number)->found.keys.access_key, "AK2");
}

TEST(SharedKeys, LeavesNothingBehind) {
  SharedKeys keys;
  keys.publish(keys_of("AK1"));
  keys.clear();
  EXPECT_FALSE(keys.read(0));
  const std::string_view bytes(reinterpret_cast<const char*>(&keys), sizeof(keys));
  for (const char* secret : {"AK1", "secret", "token"})
    EXPECT_EQ(bytes.find(secret), std::string_view::npos) << secret;
}

TEST(SharedKeys, TakesNoKeysThatAreTooLong) {
  SharedKeys keys;
  Found found = keys_of("AK1");
  found.keys.session_token.assign(20000, 'x');
  EXPECT_FALSE(keys.publish(found));
  EXPECT_FALSE(keys.read(0));
}

TEST(SharedKeys, SourceWaitsForThem) {
  SharedKeys keys;
  Shared source(keys);
  EXPECT_TRUE(std::holds_alternative<Later>(source.begin(0)));
  EXPECT_EQ(keys.refused(), 0u);
  keys.publish(keys_of("AK1"));
  EXPECT_EQ(std::get<Found>(source.begin(0)).keys.access_key, "AK1");
}

TEST(SharedKeys, SourceThatIsAskedAgainSaysThatTheyWereRefused) {
  SharedKeys keys;
  Shared source(keys);
  keys.publish(keys_of("AK1"));
  source.begin(0);
  EXPECT_TRUE(std::holds_alternative<Later>(source.begin(1)));
  EXPECT_EQ(keys.refused(), keys.version());
  keys.publish(keys_of("AK2"));
  EXPECT_EQ(std::get<Found>(source.begin(2)).keys.access_key, "AK2");
}

TEST(SharedKeys, KeysAboutToEndAreNotRefused) {
  SharedKeys keys;
  Shared source(keys);
  keys.publish(keys_of("AK1"));
  source.begin(0);
  EXPECT_TRUE(std::holds_alternative<Later>(source.begin(1000000 - 60)));
  EXPECT_EQ(keys.refused(), 0u);
}

TEST(SharedKeys, SourceTellsWhyThereAreNone) {
  SharedKeys keys;
  Shared source(keys);
  keys.fail(credentials_failure("the service does not answer", "Look after it."));
  const Step step = source.begin(0);
  const auto* broken = std::get_if<Broken>(&step);
  ASSERT_NE(broken, nullptr);
  EXPECT_NE(broken->why.find("the service does not answer"), std::string::npos);
  EXPECT_EQ(broken->hint, "Look after it.");
  EXPECT_FALSE(broken->heals);
}

class SharedKeysTest : public ClientTest {
 protected:
  std::string signer(std::size_t i) {
    const std::string text = server_.received().at(i).headers.at("authorization");
    const std::size_t start = text.find("Credential=") + 11;
    return text.substr(start, text.find('/', start) - start);
  }
};

// What the process that fetches does, in between: it gives other keys when told that these are not
// accepted.
TEST_F(SharedKeysTest, AClientGoesOnWithRenewedKeys) {
  SharedKeys keys;
  keys.publish({{"AK1", "s", "t"}, std::nullopt, "instance"});
  server_.script({{Reply::answer, 400, "<Error><Code>ExpiredToken</Code></Error>"}});
  options_.source = std::make_shared<Shared>(keys);
  Client client(options_);
  client.put(upload_of(1, "x"));
  while (keys.refused() == 0)
    turn(client);
  keys.publish({{"AK2", "s", "t"}, std::nullopt, "instance"});
  EXPECT_TRUE(wait_for(client).at(0).ok);
  EXPECT_EQ(signer(0), "AK1");
  EXPECT_EQ(signer(1), "AK2");
}

TEST_F(SharedKeysTest, AClientFetchesKeysForOthersAlone) {
  options_.source = std::make_shared<Static>(Credentials{"AK1", "s", ""});
  Client client(options_);
  EXPECT_FALSE(client.keys());
  client.keep_keys(true);
  ASSERT_TRUE(client.keys());
  EXPECT_EQ(client.keys()->keys.access_key, "AK1");
  EXPECT_FALSE(client.keys_change());
}

}  // namespace
}  // namespace hydra::s3::credentials
