// Each source of keys, step by step, without a network.
#include <gtest/gtest.h>

#include "s3/credentials/chain.hpp"
#include "s3/credentials/metadata.hpp"
#include "s3/credentials/profile.hpp"
#include "s3/credentials/sts.hpp"

namespace hydra::s3::credentials {
namespace {

constexpr std::int64_t now = 1369353600;

const EndpointSettings aws{"data", "eu-west-1", ""};
const EndpointSettings store{"data", "eu-west-1", "https://s3.example.com/x"};

const std::string document =
    R"({"Code": "Success", "AccessKeyId": "AK", "SecretAccessKey": "very secret", "Token": "TOK",)"
    R"( "Expiration": "2013-05-24T01:00:00Z"})";

const std::string sts_answer =
    "<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>AK</AccessKeyId>"
    "<SecretAccessKey>very secret</SecretAccessKey><SessionToken>T&amp;K</SessionToken>"
    "<Expiration>2013-05-24T01:00:00Z</Expiration></Credentials></AssumeRoleResult>"
    "</AssumeRoleResponse>";

class CredentialsTest : public testing::Test {
 protected:
  CredentialsTest() {
    host_.variable = [this](const std::string& name) { return variables_[name]; };
    host_.file = [this](const std::string& path) -> std::optional<std::string> {
      const auto found = files_.find(path);
      if (found == files_.end()) return std::nullopt;
      return found->second;
    };
    host_.home = "/home/postgres";
  }

  std::unique_ptr<Source> source(const std::string& name, const std::string& role = "",
                                 const EndpointSettings& target = aws) {
    return make_source({name, {"GIVEN", "given secret", ""}, role, "ext"}, target, host_);
  }
  Step begin(const std::string& name) {
    source_ = source(name);
    return source_->begin(now);
  }

  static Found found(const Step& step) {
    if (const auto* it = std::get_if<Found>(&step)) return *it;
    ADD_FAILURE() << "no keys: " << why(step);
    return {};
  }
  static HttpRequest request(const Step& step) {
    if (const auto* it = std::get_if<HttpRequest>(&step)) return *it;
    ADD_FAILURE() << "no request: " << why(step);
    return {};
  }
  static std::string why(const Step& step) {
    if (const auto* absent = std::get_if<Absent>(&step)) return "absent: " + absent->why;
    if (const auto* broken = std::get_if<Broken>(&step)) return "broken: " + broken->why;
    return "found or asked";
  }
  static std::string header(const HttpRequest& request, const std::string& name) {
    for (const auto& [header, value] : request.headers) {
      if (header == name) return value;
    }
    return "";
  }

  std::map<std::string, std::string> variables_, files_;
  HostEnvironment host_;
  std::unique_ptr<Source> source_;
};

TEST_F(CredentialsTest, Static) {
  EXPECT_EQ(found(begin("static")).keys.access_key, "GIVEN");
}

TEST_F(CredentialsTest, Environment) {
  EXPECT_EQ(why(begin("environment")), "absent: AWS_ACCESS_KEY_ID is not set");
  variables_["AWS_ACCESS_KEY_ID"] = "AK";
  EXPECT_TRUE(why(begin("environment")).starts_with("broken: AWS_SECRET_ACCESS_KEY"));
  variables_["AWS_SECRET_ACCESS_KEY"] = "SK";
  variables_["AWS_SESSION_TOKEN"] = "TOK";
  const Found keys = found(begin("environment"));
  EXPECT_EQ(keys.keys.secret_key, "SK");
  EXPECT_EQ(keys.keys.session_token, "TOK");
  EXPECT_EQ(keys.source, "environment");
}

TEST_F(CredentialsTest, ProfileWithKeys) {
  files_["/home/postgres/.aws/credentials"] =
      "# comment\n[default]\naws_access_key_id = AK1\r\naws_secret_access_key=SK1\n\n"
      "[ backup ]\naws_access_key_id=AK2\naws_secret_access_key = a=b+c/\naws_session_token=T\n";
  EXPECT_EQ(found(begin("profile")).keys.access_key, "AK1");
  const Found backup = found(begin("profile:backup"));
  EXPECT_EQ(backup.keys.secret_key, "a=b+c/");
  EXPECT_EQ(backup.keys.session_token, "T");
  EXPECT_EQ(backup.source, "profile:backup");
  EXPECT_TRUE(why(begin("profile:missing")).starts_with("broken: profile \"missing\" does not"));
  variables_["AWS_PROFILE"] = "backup";
  EXPECT_EQ(found(begin("profile")).keys.access_key, "AK2");
  variables_["AWS_SHARED_CREDENTIALS_FILE"] = "/elsewhere";
  files_["/elsewhere"] = "[backup]\naws_access_key_id=AK3\naws_secret_access_key=SK3";
  EXPECT_EQ(found(begin("profile")).keys.access_key, "AK3");
}

TEST_F(CredentialsTest, ProfileInTheConfigFile) {
  files_["/home/postgres/.aws/config"] =
      "[profile  other]\naws_access_key_id=AK\naws_secret_access_key=SK\ns3 =\n  max=3\n"
      "[profile sso]\nsso_start_url=https://x\n[profile program]\ncredential_process=/bin/x\n";
  EXPECT_EQ(found(begin("profile:other")).keys.access_key, "AK");
  EXPECT_EQ(why(begin("profile:sso")),
            "broken: profile \"sso\" uses sso_start_url, which is not supported");
  EXPECT_EQ(why(begin("profile:program")),
            "broken: profile \"program\" uses credential_process, which is not supported");
}

TEST_F(CredentialsTest, ProfileWithARole) {
  files_["/home/postgres/.aws/config"] =
      "[profile a]\nrole_arn=arn:aws:iam::1:role/a\nsource_profile=b\nexternal_id=e\n"
      "[profile b]\naws_access_key_id=AKB\naws_secret_access_key=SK\n"
      "[profile loop]\nrole_arn=arn:aws:iam::1:role/a\nsource_profile=loop\n"
      "[profile none]\nrole_arn=arn:aws:iam::1:role/a\n"
      "[profile web]\nrole_arn=arn:aws:iam::1:role/w\nweb_identity_token_file=/token\n";
  const HttpRequest asked = request(begin("profile:a"));
  EXPECT_NE(asked.body.find("RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa"), std::string::npos);
  EXPECT_NE(asked.body.find("ExternalId=e"), std::string::npos);
  EXPECT_NE(header(asked, "authorization").find("Credential=AKB/"), std::string::npos);
  EXPECT_EQ(found(source_->answered({200, sts_answer, ""})).source,
            "profile:b, role arn:aws:iam::1:role/a");
  EXPECT_NE(why(begin("profile:loop")).find("too many"), std::string::npos);
  EXPECT_NE(why(begin("profile:none")).find("no source of keys to assume it with"),
            std::string::npos);
  files_["/token"] = "JWT";
  EXPECT_NE(request(begin("profile:web")).body.find("WebIdentityToken=JWT"), std::string::npos);
}

TEST_F(CredentialsTest, WebIdentity) {
  EXPECT_TRUE(why(begin("web_identity")).starts_with("absent"));
  variables_["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/token";
  EXPECT_TRUE(why(begin("web_identity")).starts_with("broken: AWS_ROLE_ARN"));
  variables_["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/x";
  EXPECT_TRUE(why(begin("web_identity")).ends_with("cannot be read"));
  files_["/token"] = "JWT";
  const HttpRequest asked = request(begin("web_identity"));
  EXPECT_EQ(asked.method, "POST");
  EXPECT_EQ(asked.url, "https://sts.eu-west-1.amazonaws.com/");
  EXPECT_EQ(asked.body,
            "Version=2011-06-15&Action=AssumeRoleWithWebIdentity&"
            "RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx&RoleSessionName=hydra_export&"
            "WebIdentityToken=JWT");
  const Found keys = found(source_->answered({200, sts_answer, ""}));
  EXPECT_EQ(keys.keys.session_token, "T&K");
  EXPECT_EQ(keys.expires_at, now + 3600);
  EXPECT_EQ(keys.source, "web_identity");
  files_["/token"] = "NEW";  // rotated
  EXPECT_NE(request(source_->begin(now)).body.find("=NEW"), std::string::npos);
}

// A token is a secret: the endpoint of a destination must not receive it.
TEST_F(CredentialsTest, TokensGoToTheServersOwnStsOnly) {
  EXPECT_EQ(sts_for_tokens(store, host_).url, "https://sts.eu-west-1.amazonaws.com/");
  EXPECT_EQ(sts_for_roles(store, host_).url, "https://s3.example.com/x/");
  EXPECT_EQ(sts_for_roles(aws, host_).url, "https://sts.eu-west-1.amazonaws.com/");
  EXPECT_TRUE(sts_for_roles(store, host_).is_store) << "it is bound as uploads to it are";
  EXPECT_FALSE(sts_for_roles(aws, host_).is_store);
  variables_["AWS_REGION"] = "cn-north-1";
  EXPECT_EQ(sts_for_tokens(store, host_).url, "https://sts.cn-north-1.amazonaws.com.cn/");
  variables_["AWS_ENDPOINT_URL_STS"] = "https://sts.example.com";
  EXPECT_EQ(sts_for_tokens(store, host_).url, "https://sts.example.com/");
  EXPECT_EQ(sts_for_roles(store, host_).url, "https://sts.example.com/");
  EXPECT_FALSE(sts_for_roles(store, host_).is_store);
}

TEST_F(CredentialsTest, ARoleOfTheSettings) {
  source_ = source("static", "arn:aws:iam::1:role/x");
  const HttpRequest asked = request(source_->begin(now));
  EXPECT_EQ(asked.body,
            "Version=2011-06-15&Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx&"
            "RoleSessionName=hydra_export&ExternalId=ext");
  EXPECT_NE(header(asked, "authorization").find("Credential=GIVEN/20130524/eu-west-1/sts/"),
            std::string::npos);
  EXPECT_EQ(found(source_->answered({200, sts_answer, ""})).keys.access_key, "AK");
}

TEST_F(CredentialsTest, AWebIdentityMayBeForTheRoleItself) {
  variables_["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/token";
  files_["/token"] = "JWT";
  source_ = source("web_identity", "arn:aws:iam::1:role/x");
  EXPECT_NE(request(source_->begin(now)).body.find("WithWebIdentity"), std::string::npos);
  EXPECT_EQ(found(source_->answered({200, sts_answer, ""})).source, "web_identity");
  variables_["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/first";
  source_ = source("web_identity", "arn:aws:iam::1:role/x");
  EXPECT_NE(request(source_->begin(now)).body.find("first"), std::string::npos);
  const HttpRequest second = request(source_->answered({200, sts_answer, ""}));
  EXPECT_NE(second.body.find("Action=AssumeRole&"), std::string::npos);
}

// Such characters would add lines to the signed request.
TEST_F(CredentialsTest, ARoleIsNotAskedForWithKeysThatNoHeaderHolds) {
  variables_ = {{"AWS_ACCESS_KEY_ID", "AK"},
                {"AWS_SECRET_ACCESS_KEY", "secret"},
                {"AWS_SESSION_TOKEN", "T\r\nx-evil: 1"}};
  source_ = source("environment", "arn:aws:iam::1:role/x");
  EXPECT_EQ(why(source_->begin(now)), "broken: environment: the keys are not valid");
}

TEST_F(CredentialsTest, StsThatRefuses) {
  source_ = source("static", "arn:aws:iam::1:role/x");
  source_->begin(now);
  const Step refused = source_->answered(
      {403, "<Error><Code>AccessDenied</Code><Message>not yours</Message></Error>", ""});
  EXPECT_EQ(why(refused), "broken: STS AssumeRole: 403 AccessDenied: not yours");
  EXPECT_FALSE(std::get<Broken>(refused).heals);
  source_->begin(now);
  EXPECT_EQ(why(source_->answered({403, "<Error><Code>AccessDenied</Code><Message/></Error>", ""})),
            "broken: STS AssumeRole: 403 AccessDenied");
  source_->begin(now);
  EXPECT_TRUE(std::get<Broken>(source_->answered({503, "", ""})).heals);
  source_->begin(now);
  EXPECT_TRUE(std::get<Broken>(source_->answered({0, "", "timeout"})).heals);
}

TEST_F(CredentialsTest, Container) {
  EXPECT_TRUE(why(begin("container")).starts_with("absent"));
  variables_["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/v2/credentials/1";
  HttpRequest asked = request(begin("container"));
  EXPECT_EQ(asked.url, "http://169.254.170.2/v2/credentials/1");
  EXPECT_TRUE(asked.local);
  EXPECT_EQ(found(source_->answered({200, document, ""})).keys.session_token, "TOK");
  variables_["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "";
  variables_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://169.254.170.23/v1/credentials?a=b";
  variables_["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"] = "/pod";
  EXPECT_TRUE(why(begin("container")).ends_with("cannot be read"));
  files_["/pod"] = "pod token";
  EXPECT_EQ(header(request(begin("container")), "authorization"), "pod token");
  files_["/pod"] = "bad\r\nx: y";
  EXPECT_TRUE(why(begin("container")).starts_with("broken"));
  files_["/pod"] = "pod token";
  for (const char* url :
       {"http://evil.example/", "http://169.254.170.2.evil.example/", "ftp://x"}) {
    variables_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = url;
    EXPECT_TRUE(why(begin("container")).starts_with("broken")) << url;
  }
}

TEST_F(CredentialsTest, Instance) {
  const HttpRequest token = request(begin("instance"));
  EXPECT_EQ(token.method, "PUT");
  EXPECT_EQ(token.url, "http://169.254.169.254/latest/api/token");
  EXPECT_EQ(header(token, "x-aws-ec2-metadata-token-ttl-seconds"), "21600");
  EXPECT_LE(token.timeout, std::chrono::seconds(1));
  const HttpRequest role = request(source_->answered({200, "TOKEN==", ""}));
  EXPECT_EQ(role.url, "http://169.254.169.254/latest/meta-data/iam/security-credentials/");
  EXPECT_EQ(header(role, "x-aws-ec2-metadata-token"), "TOKEN==");
  const HttpRequest keys = request(source_->answered({200, "my-role\n", ""}));
  EXPECT_TRUE(keys.url.ends_with("/security-credentials/my-role"));
  EXPECT_EQ(found(source_->answered({200, document, ""})).expires_at, now + 3600);
}

TEST_F(CredentialsTest, InstanceNeverFallsBackToVersion1) {
  for (int status : {400, 403, 404, 405}) {
    begin("instance");
    EXPECT_TRUE(why(source_->answered({status, "", ""})).starts_with("broken")) << status;
  }
  begin("instance");
  EXPECT_TRUE(why(source_->answered({200, "<html> </html>", ""})).starts_with("broken"));
  variables_["AWS_EC2_METADATA_DISABLED"] = "True";
  EXPECT_TRUE(why(begin("instance")).starts_with("absent"));
}

TEST_F(CredentialsTest, DocumentsThatHoldNoKeys) {
  for (const char* text : {"", "no JSON", "[]", "{}", R"({"AccessKeyId": "secret"})",
                           R"({"AccessKeyId": 1, "SecretAccessKey": "secret"})",
                           R"({"Code": "Failed", "SecretAccessKey": "secret"})"}) {
    const std::string words = why(read_document(text, "instance"));
    EXPECT_TRUE(words.starts_with("broken: instance: ")) << text;
    EXPECT_EQ(words.find("secret"), std::string::npos);
  }
}

TEST_F(CredentialsTest, AutoTakesTheFirstThatIsThere) {
  const HttpRequest last = request(begin("auto"));
  EXPECT_EQ(last.url, "http://169.254.169.254/latest/api/token");
  variables_["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"] = "/x";
  EXPECT_EQ(request(begin("auto")).url, "http://169.254.170.2/x");
  variables_["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/token";
  variables_["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/x";
  files_["/token"] = "JWT";
  EXPECT_NE(request(begin("auto")).body.find("JWT"), std::string::npos);
  files_["/home/postgres/.aws/credentials"] =
      "[default]\naws_access_key_id=FILE\naws_secret_access_key=SK\n";
  EXPECT_EQ(found(begin("auto")).keys.access_key, "FILE");
  variables_["AWS_ACCESS_KEY_ID"] = "ENV";
  variables_["AWS_SECRET_ACCESS_KEY"] = "SK";
  EXPECT_EQ(found(begin("auto")).keys.access_key, "ENV");
}

TEST_F(CredentialsTest, AutoStopsAtASourceThatFails) {
  variables_["AWS_WEB_IDENTITY_TOKEN_FILE"] = "/missing";
  variables_["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/x";
  EXPECT_NE(why(begin("auto")).find("cannot be read"), std::string::npos);
}

TEST_F(CredentialsTest, AutoSaysWhereItLooked) {
  variables_["AWS_EC2_METADATA_DISABLED"] = "true";
  const std::string words = why(begin("auto"));
  for (const char* name :
       {"environment: ", "profile: ", "web_identity: ", "container: ", "instance: "})
    EXPECT_NE(words.find(name), std::string::npos) << name;
}

TEST(SourceProblem, KnowsTheNames) {
  for (const char* good : {"static", "environment", "profile", "profile:a.b", "web_identity",
                           "container", "instance", "auto"})
    EXPECT_EQ(source_problem(good), std::nullopt) << good;
  for (const char* bad : {"", "Static", "profile:", "profile:a b", "env"})
    EXPECT_TRUE(source_problem(bad)) << bad;
  EXPECT_EQ(role_problem("arn:aws:iam::123456789012:role/export"), std::nullopt);
  EXPECT_TRUE(role_problem("arn:aws:iam::123456789012:user/export"));
  EXPECT_TRUE(role_problem("export"));
}

}  // namespace
}  // namespace hydra::s3::credentials
