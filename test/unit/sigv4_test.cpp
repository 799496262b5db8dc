#include "s3/sigv4.hpp"

#include <gtest/gtest.h>

#include "base/percent.hpp"
#include "base/sha256.hpp"

namespace hydra::s3 {
namespace {

const std::string empty_hash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

// ---- The examples of the S3 API Reference ("Signature calculations for the Authorization
// header").

struct Example {
  std::string name, method, path, query;
  std::vector<std::pair<std::string, std::string>> more_headers;
  std::string payload_sha256, canonical_hash, signature;
};

class S3Examples : public testing::TestWithParam<Example> {};

TEST_P(S3Examples, MatchStageByStage) {
  const Example& example = GetParam();
  Request request{example.method, example.path, example.query, example.more_headers,
                  example.payload_sha256};
  request.headers.emplace_back("x-amz-date", "20130524T000000Z");
  request.headers.emplace_back("Host", "examplebucket.s3.amazonaws.com");
  request.headers.emplace_back("x-amz-content-sha256", example.payload_sha256);
  const Scope scope{"20130524T000000Z", "us-east-1"};
  const Credentials keys{"AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""};

  EXPECT_EQ(hex(sha256(canonical_request(request))), example.canonical_hash)
      << canonical_request(request);
  EXPECT_EQ(string_to_sign(request, scope),
            "AWS4-HMAC-SHA256\n20130524T000000Z\n20130524/us-east-1/s3/aws4_request\n" +
                example.canonical_hash);
  EXPECT_EQ(signature(request, scope, keys), example.signature);
}

INSTANTIATE_TEST_SUITE_P(
    Documentation, S3Examples,
    testing::Values(Example{"GetObject",
                            "GET",
                            "/test.txt",
                            "",
                            {{"Range", "bytes=0-9"}},
                            empty_hash,
                            "7344ae5b7ee6c3e7e6b0fe0640412a37625d1fbfff95c48bbb2dc43964946972",
                            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"},
                    Example{"PutObject",
                            "PUT",
                            encode_path("/test$file.text"),
                            "",
                            {{"Date", "Fri, 24 May 2013 00:00:00 GMT"},
                             {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                            hex(sha256("Welcome to Amazon S3.")),
                            "9e0e90d9c76de8fa5b200d8c849cd5b8dc7a3be3951ddb7f6a76b4158342019d",
                            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"},
                    Example{"GetLifecycle",
                            "GET",
                            "/",
                            "lifecycle",
                            {},
                            empty_hash,
                            "9766c798316ff2757b517bc739a67f6213b4ab36dd5da2f94eaebf79c77395ca",
                            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"},
                    Example{"ListObjects",
                            "GET",
                            "",
                            "prefix=J&max-keys=2",
                            {},
                            empty_hash,
                            "df57d21db20da04d7fa30298dd4488ba3a2b47ca3a489c74750e0f1e7df1b9b7",
                            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"}),
    [](const auto& one) { return one.param.name; });

// ---- The cases of AWS's Signature Version 4 test suite that concern S3.

struct SuiteCase {
  std::string name, method, path, query;
  std::vector<std::pair<std::string, std::string>> more_headers;
  std::string canonical_request, canonical_hash, signature;
};

class Suite : public testing::TestWithParam<SuiteCase> {};

const Scope suite_scope{"20150830T123600Z", "us-east-1", "service"};
const Credentials suite_keys{"AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", ""};

Request suite_request(const SuiteCase& one) {
  Request request{one.method, one.path, one.query, one.more_headers, empty_hash};
  request.headers.emplace_back("Host", "example.amazonaws.com");
  request.headers.emplace_back("X-Amz-Date", "20150830T123600Z");
  return request;
}

TEST_P(Suite, MatchesStageByStage) {
  const SuiteCase& one = GetParam();
  const Request request = suite_request(one);
  EXPECT_EQ(canonical_request(request), one.canonical_request + '\n' + empty_hash);
  EXPECT_EQ(string_to_sign(request, suite_scope),
            "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/service/aws4_request\n" +
                one.canonical_hash);
  EXPECT_EQ(signature(request, suite_scope, suite_keys), one.signature);
}

const std::string unreserved = "-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const std::string two_headers =
    "host:example.amazonaws.com\nx-amz-date:20150830T123600Z\n\nhost;x-amz-date";
const std::string token =
    "AQoDYXdzEPT//////////"
    "wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIe"
    "oIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/"
    "kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq"
    "5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+"
    "scqKmlzm8FDrypNC9"
    "Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";

INSTANTIATE_TEST_SUITE_P(
    Aws, Suite,
    testing::Values(
        SuiteCase{"Vanilla",
                  "GET",
                  "/",
                  "",
                  {},
                  "GET\n/\n\n" + two_headers,
                  "bb579772317eb040ac9ed261061d46c1f17a8133879d6129b6e1c25292927e63",
                  "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
        SuiteCase{"Unreserved",
                  "GET",
                  encode_path("/" + unreserved),
                  "",
                  {},
                  "GET\n/" + unreserved + "\n\n" + two_headers,
                  "6a968768eefaa713e2a6b16b589a8ea192661f098f37349f4e2c0082757446f9",
                  "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
        SuiteCase{"Utf8",
                  "GET",
                  encode_path("/\u1234"),
                  "",
                  {},
                  "GET\n/%E1%88%B4\n\n" + two_headers,
                  "2a0a97d02205e45ce2e994789806b19270cfbbb0921b278ccf58f5249ac42102",
                  "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
        SuiteCase{"Space",
                  "GET",
                  encode_path("/example space/"),
                  "",
                  {},
                  "GET\n/example%20space/\n\n" + two_headers,
                  "63ee75631ed7234ae61b5f736dfc7754cdccfedbff4b5128a915706ee9390d86",
                  "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
        SuiteCase{"SlashesStay",
                  "GET",
                  "//example//",
                  "",
                  {},
                  "GET\n//example//\n\n" + two_headers,
                  "528ec3105ee1f34ab014bb0a1a45da0ed2742a4fea3555149e5b4d5d201eb240",
                  "87cca117541a147f6df867677d98a7d80dff226d2bfca9e4ffa899665623c7e5"},
        SuiteCase{"DotsStay",
                  "GET",
                  "/./example",
                  "",
                  {},
                  "GET\n/./example\n\n" + two_headers,
                  "73895e0e829507e28e39fd24669aedc2434a8e179e547e3c075b42921f952cdb",
                  "beb03f223f7deae4146464f06e29eebbee9c8afbe15c290cf07aa8b119e14cff"},
        SuiteCase{"QueryOrder",
                  "GET",
                  "/",
                  "Param2=value2&Param1=value1",
                  {},
                  "GET\n/\nParam1=value1&Param2=value2\n" + two_headers,
                  "816cd5b414d056048ba4f7c5386d6e0533120fb1fcfa93762cf0fc39e2cf19e0",
                  "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
        SuiteCase{"QueryOrderEncoded",
                  "GET",
                  "/",
                  "Param-3=Value3&Param=Value2&%E1%88%B4=Value1",
                  {},
                  "GET\n/\n%E1%88%B4=Value1&Param=Value2&Param-3=Value3\n" + two_headers,
                  "868294f5c38bd141c4972a373a76654f1418a8e4fc18b2e7903ae45e8ae0ec71",
                  "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
        SuiteCase{"QueryUnreserved",
                  "GET",
                  "/",
                  unreserved + "=" + unreserved,
                  {},
                  "GET\n/\n" + unreserved + "=" + unreserved + "\n" + two_headers,
                  "c30d4703d9f799439be92736156d47ccfb2d879ddf56f5befa6d1d6aab979177",
                  "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
        SuiteCase{"HeaderKeyDuplicate",
                  "GET",
                  "/",
                  "",
                  {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}},
                  "GET\n/\n\nhost:example.amazonaws.com\nmy-header1:value2,value2,value1\n"
                  "x-amz-date:20150830T123600Z\n\nhost;my-header1;x-amz-date",
                  "dc7f04a3abfde8d472b0ab1a418b741b7c67174dad1551b4117b15527fbe966c",
                  "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
        SuiteCase{"HeaderValueTrim",
                  "GET",
                  "/",
                  "",
                  {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}},
                  "GET\n/\n\nhost:example.amazonaws.com\nmy-header1:value1\nmy-header2:\"a b c\"\n"
                  "x-amz-date:20150830T123600Z\n\nhost;my-header1;my-header2;x-amz-date",
                  "a726db9b0df21c14f559d0a978e563112acb1b9e05476f0a6a1c7d68f28605c7",
                  "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
        SuiteCase{"HeaderValueCase",
                  "POST",
                  "/",
                  "",
                  {{"My-Header1", "VALUE1"}},
                  "POST\n/\n\nhost:example.amazonaws.com\nmy-header1:VALUE1\n"
                  "x-amz-date:20150830T123600Z\n\nhost;my-header1;x-amz-date",
                  "d51ced243e649e3de6ef63afbbdcbca03131a21a7103a1583706a64618606a93",
                  "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
        SuiteCase{"SessionToken",
                  "POST",
                  "/",
                  "",
                  {{"X-Amz-Security-Token", token}},
                  "POST\n/\n\nhost:example.amazonaws.com\nx-amz-date:20150830T123600Z\n"
                  "x-amz-security-token:" +
                      token + "\n\nhost;x-amz-date;x-amz-security-token",
                  "c237e1b440d4c63c32ca95b5b99481081cb7b13c7e40434868e71567c1a882f6",
                  "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"}),
    [](const auto& one) { return one.param.name; });

TEST(SigV4, WritesTheAuthorizationHeader) {
  const Request request = suite_request({"", "POST", "/", "", {}, "", "", ""});
  EXPECT_EQ(authorization(request, suite_scope, suite_keys),
            "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
            "SignedHeaders=host;x-amz-date, "
            "Signature=5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b");
}

}  // namespace
}  // namespace hydra::s3
