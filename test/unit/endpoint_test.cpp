#include "s3/endpoint.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

#include "s3/bucket_rules.hpp"

namespace hydra::s3 {
namespace {

std::string url(std::string bucket, std::string region, std::string endpoint,
                Addressing addressing = Addressing::automatic) {
  return resolve({std::move(bucket), std::move(region), std::move(endpoint), addressing}).url();
}

TEST(Endpoint, AwsIsVirtualHosted) {
  EXPECT_EQ(url("data", "eu-west-1", ""), "https://data.s3.eu-west-1.amazonaws.com");
  EXPECT_EQ(url("data", "cn-north-1", ""), "https://data.s3.cn-north-1.amazonaws.com.cn");
}

TEST(Endpoint, ABucketWithADotDoesNotFitTheCertificate) {
  EXPECT_EQ(url("my.data", "us-east-1", ""), "https://s3.us-east-1.amazonaws.com/my.data");
}

TEST(Endpoint, CustomEndpointsArePathStyle) {
  EXPECT_EQ(url("data", "x", "http://localhost:9000"), "http://localhost:9000/data");
  EXPECT_EQ(url("data", "x", "https://S3.Example.com/store/"), "https://s3.example.com/store/data");
}

TEST(Endpoint, BothStylesCanBeForced) {
  EXPECT_EQ(url("data", "us-east-1", "", Addressing::path),
            "https://s3.us-east-1.amazonaws.com/data");
  EXPECT_EQ(url("data", "x", "https://s3.example.com:8443", Addressing::virtual_hosted),
            "https://data.s3.example.com:8443");
}

TEST(Endpoint, AnIpAddressTakesNoBucketInFront) {
  EXPECT_EQ(url("data", "x", "http://127.0.0.1:9000", Addressing::virtual_hosted),
            "http://127.0.0.1:9000/data");
  EXPECT_EQ(url("data", "x", "http://[::1]:9000", Addressing::virtual_hosted),
            "http://[::1]:9000/data");
}

TEST(Endpoint, TheHostHasThePortUnlessItIsTheDefault) {
  EXPECT_EQ(resolve({"data", "x", "https://a.example:443"}).host, "a.example");
  EXPECT_EQ(resolve({"data", "x", "http://a.example:80"}).host, "a.example");
  EXPECT_EQ(resolve({"data", "x", "http://a.example:443"}).host, "a.example:443");
}

TEST(Endpoint, ThePathIsEncodedOnce) {
  EXPECT_EQ(resolve({"data", "x", "https://a.example/x%20y/a+b"}).base_path, "/x%20y/a%2Bb/data");
}

TEST(Endpoint, KnowsAws) {
  EXPECT_TRUE(resolve({"data", "eu-west-1", ""}).is_aws());
  EXPECT_TRUE(resolve({"data", "cn-north-1", ""}).is_aws());
  EXPECT_TRUE(resolve({"data", "x", "https://s3.dualstack.eu-west-1.amazonaws.com"}).is_aws());
  EXPECT_FALSE(resolve({"data", "x", "https://s3.amazonaws.com.example.com"}).is_aws());
  EXPECT_FALSE(resolve({"data", "x", "https://notamazonaws.com"}).is_aws());
}

TEST(Endpoint, KnowsLoopback) {
  for (const char* loopback : {"http://127.0.0.1:9000", "http://127.9.9.9", "http://[::1]:9000",
                               "http://[0:0::1]", "http://localhost", "http://minio.localhost:1"})
    EXPECT_TRUE(resolve({"data", "x", loopback}).is_loopback()) << loopback;
  for (const char* other : {"http://128.0.0.1", "http://127.0.0.1.example.com", "http://[::2]",
                            "http://localhost.example.com", "http://notlocalhost"})
    EXPECT_FALSE(resolve({"data", "x", other}).is_loopback()) << other;
}

TEST(Endpoint, ThrowsOnWhatIsNoUrl) {
  EXPECT_THROW(resolve({"data", "x", "s3.example.com"}), std::runtime_error);
}

TEST(EndpointUrl, HasItsParts) {
  const auto parts = parse_endpoint("HTTPS://[2001:DB8::1]:8443/a/b/");
  ASSERT_TRUE(parts.has_value());
  EXPECT_EQ(parts->scheme, "https");
  EXPECT_EQ(parts->host, "[2001:db8::1]");
  EXPECT_EQ(parts->port, 8443);
  EXPECT_EQ(parts->path, "/a/b");
}

TEST(EndpointProblem, AcceptsUrlsOfStores) {
  for (const char* good :
       {"https://s3.example.com", "https://s3.example.com/", "https://minio_1:9000",
        "http://127.0.0.1:9000", "https://[2001:db8::1]", "https://10.0.0.1/x"})
    EXPECT_EQ(endpoint_problem(good, false), std::nullopt) << good;
}

TEST(EndpointProblem, PlainHttpIsForLoopbackOnly) {
  EXPECT_EQ(endpoint_problem("http://s3.example.com", false),
            "must begin with https://, as its host is not a loopback address");
  EXPECT_EQ(endpoint_problem("http://s3.example.com", true), std::nullopt);
  EXPECT_EQ(endpoint_problem("http://localhost:9000", false), std::nullopt);
  EXPECT_NE(endpoint_problem("http://127.0.0.1.evil.example", false), std::nullopt);
}

TEST(EndpointProblem, OtherSpellingsOfAddressesAreRefused) {
  for (const char* odd :
       {"https://127.1", "https://2130706433", "https://0x7f000001", "https://0177.0.0.1",
        "https://[::1", "https://[gggg::]", "https://1.2.3.4.5", "https://[fe80::1%25eth0]"})
    EXPECT_NE(endpoint_problem(odd, true), std::nullopt) << odd;
}

TEST(EndpointProblem, SaysWhatIsWrong) {
  const std::string no_url = "is not a URL that starts with https:// or http://";
  EXPECT_EQ(endpoint_problem("", true), no_url);
  EXPECT_EQ(endpoint_problem("s3.example.com", true), no_url);
  EXPECT_EQ(endpoint_problem("ftp://s3.example.com", true), no_url);
  EXPECT_EQ(endpoint_problem("https://", true), "has no host");
  EXPECT_EQ(endpoint_problem("https://a?b", true), "must not contain a query");
  EXPECT_EQ(endpoint_problem("https://a#b", true), "must not contain a fragment");
  for (const char* bad :
       {"https://a b", "https://a\nb", "https://a\\b", "https://\xc3\xa9", "https://a/\x7f"})
    EXPECT_EQ(endpoint_problem(bad, true), "contains a character that a URL cannot contain") << bad;
  for (const char* bad : {"https://a:0", "https://a:65536", "https://a:", "https://a:9x",
                          "https://a:-1", "https://a:99999999999"})
    EXPECT_EQ(endpoint_problem(bad, true), "has a port that is not between 1 and 65535") << bad;
  for (const char* bad : {"https://a//b", "https://a/../b", "https://a/%2e%2E/b", "https://a/./b"})
    EXPECT_NE(endpoint_problem(bad, true), std::nullopt) << bad;
}

TEST(EndpointProblem, NeverRepeatsAPassword) {
  const auto problem = endpoint_problem("https://user:hunter2@s3.example.com", true);
  EXPECT_EQ(problem, "must not contain a user name or password");
}

TEST(BucketName, AcceptsGoodNames) {
  for (const char* good : {"abc", "my-bucket", "my.bucket.1", "1a2", "xn-bucket"})
    EXPECT_EQ(bucket_name_problem(good), std::nullopt) << good;
  EXPECT_EQ(bucket_name_problem(std::string(63, 'a')), std::nullopt);
}

TEST(BucketName, SaysWhatIsWrong) {
  EXPECT_EQ(bucket_name_problem("ab"), "must be 3 to 63 characters long");
  EXPECT_EQ(bucket_name_problem(std::string(64, 'a')), "must be 3 to 63 characters long");
  EXPECT_EQ(bucket_name_problem("My-bucket"),
            "must consist of lower-case letters, digits, dots and hyphens");
  EXPECT_EQ(bucket_name_problem("-bucket"), "must begin and end with a letter or digit");
  EXPECT_EQ(bucket_name_problem("bucket."), "must begin and end with a letter or digit");
  EXPECT_EQ(bucket_name_problem("a..b"), "must not contain two dots in a row");
  EXPECT_EQ(bucket_name_problem("192.168.5.4"), "must not be an IP address");
  EXPECT_EQ(bucket_name_problem("xn--bucket"), "must not begin with \"xn--\"");
  for (const char* bad : {"sthree-a", "amzn-s3-demo-a", "a--ol-s3", "a.mrap", "a--x-s3",
                          "a--table-s3", "a_b", "a/b", "a b"})
    EXPECT_NE(bucket_name_problem(bad), std::nullopt) << bad;
}

constexpr const char* alias = "orders-a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5-s3alias";
constexpr const char* access_point = "arn:aws:s3:eu-west-1:123456789012:accesspoint/orders";

TEST(BucketName, MayBeTheAliasOfAnAccessPoint) {
  EXPECT_EQ(bucket_name_problem(alias), std::nullopt);
  EXPECT_EQ(url(alias, "eu-west-1", ""),
            "https://" + std::string(alias) + ".s3.eu-west-1.amazonaws.com");
  EXPECT_TRUE(is_access_point(alias));
  EXPECT_EQ(access_point_name(alias), "orders");
  EXPECT_FALSE(is_access_point("orders"));
}

TEST(BucketName, ButNotItsArn) {
  EXPECT_EQ(bucket_name_problem(access_point), "must not be an ARN");
  EXPECT_NE(bucket_name_hint(access_point).find("alias"), std::string::npos);
  EXPECT_EQ(bucket_name_problem("arn:aws:s3:::exports"), "must not be an ARN");
  EXPECT_NE(bucket_name_hint("arn:aws:s3:::exports").find("name alone"), std::string::npos);
}

std::string problem_with(const char* bucket, const char* endpoint,
                         Addressing addressing = Addressing::automatic) {
  const auto found = bucket_in_endpoint({bucket, "us-east-1", endpoint, addressing});
  return found ? found->problem + (found->may_be ? " or not" : "") : "";
}

TEST(BucketInEndpoint, AtItsEnd) {
  const std::string at_end = "ends with the name of the bucket";
  EXPECT_EQ(problem_with("my-exports", "https://host.example/my-exports"), at_end);
  EXPECT_EQ(problem_with("my-exports", "https://host.example:9000/s3/my-exports/"), at_end);
  EXPECT_EQ(problem_with("my-exports", "https://s3.eu-west-1.amazonaws.com/my-exports"), at_end);
  EXPECT_EQ(problem_with("my-exports", "https://host.example/my%2Dexports", Addressing::path),
            at_end);
  EXPECT_EQ(problem_with("my-exports", "https://host.example/my-exports/s3"), "");
  EXPECT_EQ(problem_with("my-exports", "https://host.example/all-my-exports"), "");
}

TEST(BucketInEndpoint, InFrontOfIt) {
  const std::string in_front = "begins with the name of the bucket";
  for (const Addressing any : {Addressing::automatic, Addressing::path, Addressing::virtual_hosted})
    EXPECT_EQ(problem_with("my-exports", "https://my-exports.s3.eu-central-1.amazonaws.com", any),
              "begins with the name of a bucket");
  EXPECT_EQ(problem_with("my-exports", "https://other.s3.amazonaws.com"),
            "begins with the name of a bucket");
  EXPECT_EQ(problem_with("my-exports", "https://my-exports.host.example"), in_front + " or not");
  EXPECT_EQ(
      problem_with("my-exports", "https://my-exports.host.example", Addressing::virtual_hosted),
      in_front + " or not");
  EXPECT_EQ(problem_with("minio", "https://minio.example.com:9000", Addressing::path), "");
  EXPECT_EQ(problem_with("my.exports", "https://my.exports.host.example"), in_front + " or not");
}

TEST(BucketInEndpoint, OrNot) {
  EXPECT_EQ(problem_with("my-exports", ""), "");
  EXPECT_EQ(problem_with("my-exports", "https://s3.eu-central-1.amazonaws.com"), "");
  EXPECT_EQ(problem_with("exports", "https://exports-host.example"), "");
  EXPECT_EQ(problem_with("127", "http://127.0.0.1:9000"), "");
  EXPECT_EQ(problem_with("exports", "https://exports"), "");
}

TEST(Region, OfAwsHasItsForm) {
  const auto problem = [](const char* region, const char* endpoint) {
    return region_problem(EndpointSettings{"data", region, endpoint});
  };
  for (const char* good : {"us-east-1", "eu-central-1", "us-gov-west-1", "us-isob-east-1",
                           "eusc-de-east-1", "ap-southeast-7", "eu-cental-1"})
    EXPECT_EQ(problem(good, ""), std::nullopt) << good;
  for (const char* bad : {"auto", "EU", "eu-central", "eu-central-1a", "EU-central-1", "eucentral1",
                          "garage", "frankfurt"})
    EXPECT_EQ(problem(bad, ""), "is not the name of a region of AWS") << bad;
  EXPECT_NE(problem("auto", "https://s3.amazonaws.com"), std::nullopt);
  EXPECT_EQ(problem("auto", "https://x.r2.cloudflarestorage.com"), std::nullopt);
  EXPECT_EQ(problem("eu central", "https://minio.example.com"),
            "must consist of letters, digits, hyphens and underscores");
}

TEST(Region, HasItsRules) {
  for (const char* good : {"us-east-1", "auto", "US", "garage", "eu_central"})
    EXPECT_EQ(region_problem(good), std::nullopt) << good;
  for (const char* bad : {"", "us east", "us.evil.example", "a/b", "-a", "a-", "a\n"})
    EXPECT_NE(region_problem(bad), std::nullopt) << bad;
}

TEST(Prefix, HasItsRules) {
  for (const char* good : {"", "a", "a/", "a/b", "a/b/", "caf\u00e9/x y"})
    EXPECT_EQ(prefix_problem(good), std::nullopt) << good;
  EXPECT_EQ(prefix_problem("/a"), "must not begin with a slash");
  EXPECT_EQ(prefix_problem(std::string(513, 'a')), "must be at most 512 bytes long");
  EXPECT_EQ(prefix_problem("a\xff"), "must be valid UTF-8");
  EXPECT_EQ(prefix_problem("a\tb"), "must not contain control characters");
  EXPECT_EQ(prefix_problem("a\u0085"), "must not contain control characters");
  for (const char* bad : {"a//b", "a//", "./a", "a/..", "..", "a/./b"})
    EXPECT_EQ(prefix_problem(bad), "must not contain an empty, \".\" or \"..\" segment") << bad;
}

std::string redirected(const std::string& from, const std::string& location) {
  const auto to = redirect(resolve({"data", "us-east-1", from}), "data", location, "p/a+b.json");
  return to ? to->url() : "";
}

TEST(Redirect, LeadsToTheSameBucketElsewhere) {
  const std::string aws = "https://data.s3.eu-west-1.amazonaws.com";
  EXPECT_EQ(redirected("", aws + "/p/a%2Bb.json"), aws);
  EXPECT_EQ(redirected("", aws + "/p/a+b.json"), aws);
  EXPECT_EQ(redirected("", "data.s3.eu-west-1.amazonaws.com"), aws);
  EXPECT_EQ(redirected("https://s3.example.com", "s3-2.example.com"),
            "https://s3-2.example.com/data");
  EXPECT_EQ(redirected("https://s3.example.com", "https://b.example:444/x/data/p/a%2Bb.json"),
            "https://b.example:444/x/data");
}

TEST(Redirect, NowhereElse) {
  const std::string aws = "https://data.s3.eu-west-1.amazonaws.com";
  for (const std::string& location :
       {std::string(), aws, aws + "/", aws + "/p/other.json", aws + "/p/a%2Bb.json?x=y",
        std::string("/p/a%2Bb.json"), std::string("https://evil.example/p/a%2Bb.json"),
        std::string("https://evil.example/other/p/a%2Bb.json"), std::string("no url at all"),
        std::string("https://data.s3.us-east-1.amazonaws.com/p/a%2Bb.json")})
    EXPECT_EQ(redirected("", location), "") << location;
}

TEST(Redirect, NotFromHttpsToHttp) {
  const std::string key = "/data/p/a%2Bb.json";
  EXPECT_EQ(redirected("https://a.example", "http://b.example" + key), "");
  EXPECT_EQ(redirected("https://a.example", "http://127.0.0.1" + key), "");
  EXPECT_EQ(redirected("http://127.0.0.1:1", "http://b.example" + key), "");
  EXPECT_EQ(redirected("http://127.0.0.1:1", "http://127.0.0.1:2" + key),
            "http://127.0.0.1:2/data");
  EXPECT_EQ(redirected("http://a.example", "http://b.example" + key), "http://b.example/data");
}

}  // namespace
}  // namespace hydra::s3
