#include "s3/places.hpp"

#include <gtest/gtest.h>

namespace hydra::s3 {
namespace {

Permit permit(std::string_view list, std::string endpoint, std::string bucket = "exports",
              std::string region = "eu-central-1") {
  EXPECT_EQ(places_problem(list), std::nullopt) << list;
  return Places(list).permit({std::move(bucket), std::move(region), std::move(endpoint)});
}

bool allows(std::string_view list, std::string endpoint, std::string bucket = "exports",
            std::string region = "eu-central-1") {
  return permit(list, std::move(endpoint), std::move(bucket), std::move(region)) != Permit::none;
}

Permit redirected(std::string_view list, const Endpoint& endpoint) {
  return Places(list).permit(endpoint, "exports");
}

TEST(Places, AnEmptyListAllowsAllButSpecialHosts) {
  for (const char* list : {"", "  "}) {
    EXPECT_EQ(permit(list, ""), Permit::ordinary);
    EXPECT_EQ(permit(list, "https://minio.example.com:9000/x"), Permit::ordinary);
    EXPECT_EQ(permit(list, "https://10.0.0.1"), Permit::ordinary);
    for (const char* special :
         {"http://127.0.0.1:9000", "https://127.8.8.8", "https://localhost", "https://a.localhost",
          "https://[::1]", "https://[::ffff:127.0.0.1]", "https://169.254.169.254", "https://[::]",
          "https://0.0.0.0", "https://[fe80::1]", "https://[fd00:ec2::254]"})
      EXPECT_EQ(permit(list, special), Permit::none) << special;
  }
}

TEST(Places, AwsIsOnePartition) {
  EXPECT_TRUE(allows("aws/exports-*", "", "exports-a"));
  EXPECT_FALSE(allows("aws/exports-*", "", "exports"));
  EXPECT_TRUE(allows("aws/exports", "https://s3.us-east-1.amazonaws.com"));
  EXPECT_TRUE(allows("aws/exports", "https://s3.dualstack.eu-west-1.amazonaws.com:443"));
  EXPECT_TRUE(allows("aws-cn/exports", "", "exports", "cn-north-1"));
  // There, anybody may own a bucket of that name.
  EXPECT_FALSE(allows("aws/exports", "", "exports", "cn-north-1"));
  EXPECT_FALSE(allows("aws/exports", "", "exports", "us-gov-west-1"));
  EXPECT_FALSE(allows("aws/exports", "https://s3.cn-north-1.amazonaws.com.cn"));
  EXPECT_FALSE(allows("aws-cn/exports", ""));
}

// The bucket's name is kept, and is no bucket there.
TEST(Places, AwsTakesTheBucketsNameFromOnePlaceOnly) {
  for (const char* endpoint :
       {"https://s3.us-east-1.amazonaws.com/evil", "https://evil.s3.us-east-1.amazonaws.com",
        "https://evil.s3.amazonaws.com", "http://s3.us-east-1.amazonaws.com",
        "https://s3.us-east-1.amazonaws.com:8443", "https://s3-evil-1.us-east-1.elb.amazonaws.com",
        "https://ec2-1-2-3-4.compute-1.amazonaws.com", "https://s3.amazonaws.com.evil.example",
        "https://minio.example.com"})
    EXPECT_FALSE(allows("aws/exports", endpoint)) << endpoint;
}

TEST(Places, AnAwsRegionCanBeNamedByItsEndpoint) {
  const std::string list = "https://s3.eu-central-1.amazonaws.com/exports";
  EXPECT_TRUE(allows(list, ""));
  EXPECT_FALSE(allows(list, "", "exports", "us-east-1"));
}

TEST(Places, EndpointsAreComparedAsTheyAreSent) {
  const std::string list = " https://Minio.Example.com:443/exports ,http://a.example:80/b/c/* ";
  for (const char* same : {"https://minio.example.com", "HTTPS://MINIO.example.com:443/"})
    EXPECT_TRUE(allows(list, same)) << same;
  EXPECT_TRUE(allows(list, "http://a.example/b/c/", "anything"));
  EXPECT_TRUE(allows("https://[2001:DB8:0::1]/exports", "https://[2001:db8::1]"));
  for (const char* other :
       {"http://minio.example.com", "https://minio.example.com:444", "https://minio.example.com/x",
        "https://xminio.example.com", "https://minio.example.com.evil.example", "http://a.example",
        "http://a.example/b", "http://a.example/b/c/d", "http://a.example:443/b/c", ""})
    EXPECT_FALSE(allows(list, other)) << other;
}

TEST(Places, TheBucketIsComparedAsItIs) {
  const std::string list = "https://a.example/exports-*-x,https://b.example/*";
  EXPECT_TRUE(allows(list, "https://a.example", "exports-1.2-x"));
  EXPECT_TRUE(allows(list, "https://a.example", "exports--x"));
  for (const char* other : {"exports-x", "exports-1-xy", "aexports-1-x", "exports", "x"})
    EXPECT_FALSE(allows(list, "https://a.example", other)) << other;
  EXPECT_TRUE(allows(list, "https://b.example", "any.thing"));
}

TEST(Places, AWildcardStaysWithinItsPart) {
  EXPECT_TRUE(allows("https://*.example.com/exports", "https://a.b.example.com"));
  for (const char* other : {"https://example.com", "https://a.example.com:8443",
                            "http://a.example.com", "https://a.example.com.evil.example",
                            "https://evil.example/.example.com", "https://a.example.com/x"})
    EXPECT_FALSE(allows("https://*.example.com/exports", other)) << other;
  EXPECT_FALSE(allows("https://*/exports", "https://a.example:8443"));
  EXPECT_TRUE(allows("https://*:*/exports", "https://a.example:8443"));
  EXPECT_TRUE(allows("https://a*b.example/exports", "https://ab.example"));
  EXPECT_TRUE(allows("https://a**b*c.example/exports", "https://axxbcbc.example"));
  EXPECT_FALSE(allows("https://a*b*c.example/exports", "https://axxbcb.example"));
}

TEST(Places, ASpecialHostIsToBeNamed) {
  for (const char* list : {"*", "*:*", "127.*", "*.localhost", "a.example"}) {
    if (places_problem("http://" + std::string(list) + "/exports")) continue;
    EXPECT_EQ(permit("http://" + std::string(list) + "/exports", "http://127.0.0.1"), Permit::none);
    EXPECT_EQ(permit("http://" + std::string(list) + "/exports", "http://a.localhost"),
              Permit::none);
  }
  EXPECT_EQ(permit("http://127.0.0.1:*/*", "http://127.0.0.1:9000"), Permit::any_address);
  EXPECT_EQ(permit("http://127.0.0.1:*/*", "http://127.0.0.2:9000"), Permit::none);
  EXPECT_EQ(permit("http://[::1]:9/*", "http://[0::1]:9"), Permit::any_address);
  EXPECT_EQ(permit("http://localhost/*", "http://localhost:9"), Permit::none);
}

// Its address may be special; the list names it on purpose.
TEST(Places, AHostThatIsNamedMayHaveAnyAddress) {
  EXPECT_EQ(permit("https://minio.example.com/*", "https://minio.example.com"),
            Permit::any_address);
  EXPECT_EQ(permit("https://*.example.com/*", "https://minio.example.com"), Permit::ordinary);
  EXPECT_EQ(permit("https://*.example.com/*,https://minio.example.com/exports",
                   "https://minio.example.com"),
            Permit::any_address);
  EXPECT_EQ(permit("aws/*", ""), Permit::ordinary);
}

TEST(Places, ARedirectStaysWithinThem) {
  const std::string list =
      "https://minio.example.com/exports, https://b.example/exports, aws/exports";
  EXPECT_EQ(redirected(list, {"https", "minio.example.com", "/exports"}), Permit::any_address);
  EXPECT_EQ(redirected(list, {"https", "exports.minio.example.com", ""}), Permit::any_address);
  EXPECT_EQ(redirected(list, {"https", "exports.s3.eu-west-1.amazonaws.com", ""}),
            Permit::ordinary);
  for (const Endpoint& other :
       {Endpoint{"https", "exports.evil.example", ""},
        Endpoint{"https", "evil.example", "/exports"},
        Endpoint{"https", "minio.example.com", "/x/exports"},
        Endpoint{"https", "minio.example.com:444", "/exports"},
        Endpoint{"https", "minio.example.com", "/other"},
        Endpoint{"https", "evil.s3.eu-west-1.amazonaws.com", "/exports"},
        Endpoint{"https", "exports.minio.example.com", "/exports"},
        Endpoint{"https", "127.0.0.1", "/exports"}, Endpoint{"http", "b.example", "/exports"}})
    EXPECT_EQ(redirected(list, other), Permit::none) << other.url();
  EXPECT_EQ(redirected("", {"https", "b.example", "/exports"}), Permit::ordinary);
  EXPECT_EQ(redirected("", {"http", "127.0.0.1:9", "/exports"}), Permit::none);
}

TEST(PlacesProblem, AcceptsPlaces) {
  for (const char* good :
       {"", "aws/exports-*", "aws-us-gov/a, aws-cn/b", "https://minio.example.com/*",
        "http://127.0.0.1:9000/exports", "https://host/base/bucket", "https://*.example.com:*/a*b",
        "http://127.0.0.1:*/*, https://127.0.0.1:*/*, http://localhost:*/*", "https://*/x"})
    EXPECT_EQ(places_problem(good), std::nullopt) << good;
}

TEST(PlacesProblem, SaysWhatIsWrong) {
  const std::pair<const char*, const char*> bad[] = {
      {"exports", "Place \"exports\" has no bucket."},
      {"https://minio.example.com", "Place \"https://minio.example.com\" has no bucket."},
      {"https://minio.example.com/", "Place \"https://minio.example.com/\" has no bucket."},
      {"https://a.example//b", "Place \"https://a.example//b\" has no bucket."},
      {"https://a.example/B",
       "Place \"https://a.example/B\" has a bucket with characters that no "
       "bucket's name has."},
      {"aws*/exports",
       "Place \"aws*/exports\" has an endpoint that is neither a URL nor a partition "
       "of AWS."},
      {"minio.example.com/exports",
       "Place \"minio.example.com/exports\" has an endpoint that is "
       "neither a URL nor a partition of AWS."},
      {"https://user:secret@a.example/b",
       "Place \"https://user:secret@a.example/b\" has an endpoint "
       "that must not contain a user name or password."},
      {"ftp://a.example/b",
       "Place \"ftp://a.example/b\" has an endpoint that is not a URL that "
       "starts with https:// or http://."},
      {"*://a.example/b",
       "Place \"*://a.example/b\" has an endpoint that is not a URL that starts "
       "with https:// or http://."},
      {"https://a.example*/b",
       "Place \"https://a.example*/b\" has a wildcard in the last part of its "
       "host."},
      {"https://10.0.0.*/b",
       "Place \"https://10.0.0.*/b\" has a wildcard in the last part of its "
       "host."},
      {"https://a.example/*/b",
       "Place \"https://a.example/*/b\" has a wildcard in its endpoint's "
       "path."},
      {"aws/a,,aws/b", "There is an empty item between two commas or at the end of the list."},
      {"aws/a,", "There is an empty item between two commas or at the end of the list."},
      {",", "There is an empty item between two commas or at the end of the list."}};
  for (const auto& [list, problem] : bad)
    EXPECT_EQ(places_problem(list), problem) << list;
  for (const char* list :
       {"https://a.example:9*/b", "https://[::*]/b", "https://a b/c", "https://*@a.example/b",
        "https://a.example:*:*/b", "https://:*/b", "https://a.example?x/b", "*", "*/*"})
    EXPECT_NE(places_problem(list), std::nullopt) << list;
}

// As if the list had not been checked before.
TEST(Places, AListThatCannotBeReadAllowsNothing) {
  for (const char* list : {",", "exports", "https://*.example*/exports"})
    EXPECT_EQ(Places(list).permit({"exports", "us-east-1", ""}), Permit::none) << list;
}

}  // namespace
}  // namespace hydra::s3
