#include "s3/object_headers.hpp"

#include <gtest/gtest.h>

namespace hydra::s3 {
namespace {

TEST(ObjectHeader, MayDescribeTheObject) {
  for (const auto& [name, value] : Headers{{"x-amz-storage-class", "STANDARD_IA"},
                                           {"x-amz-server-side-encryption", "aws:kms"},
                                           {"x-amz-server-side-encryption-aws-kms-key-id", "abc"},
                                           {"x-amz-tagging", "a=b&c=d"},
                                           {"x-amz-acl", "bucket-owner-full-control"},
                                           {"x-amz-grant-read", "id=\"abc\""},
                                           {"x-amz-meta-source", "a database"},
                                           {"cache-control", "no-store"}})
    EXPECT_EQ(object_header_problem(name, value), std::nullopt) << name;
}

TEST(ObjectHeader, MayNotDecideAboutTheRequest) {
  for (const char* name :
       {"host", "authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token",
        "content-length", "content-type", "content-encoding", "content-md5", "transfer-encoding",
        "if-none-match", "if-match", "expect", "connection", "x-amz-copy-source", "x-amz-meta-",
        "x-amz-trailer", "date"})
    EXPECT_EQ(object_header_problem(name, "x"), "is not one that may be set") << name;
}

TEST(ObjectHeader, MayNotAskForAReadersKey) {
  EXPECT_NE(object_header_problem("x-amz-server-side-encryption-customer-key", "x")->find("SSE-C"),
            std::string::npos);
}

TEST(ObjectHeader, HasANameAndAValueThatAreSentAsTheyAre) {
  for (const char* name : {"", "X-Amz-Acl", "x-amz-meta-a b", "x-amz-meta-a:b", "x-amz-meta-\n"})
    EXPECT_TRUE(object_header_problem(name, "x")) << name;
  for (const std::string& value : {std::string(), std::string("a\r\nb"), std::string(" a"),
                                   std::string("\xc3\xa9"), std::string(2049, 'x')})
    EXPECT_TRUE(object_header_problem("x-amz-meta-a", value)) << value;
}

TEST(ObjectHeaders, KeepToS3sLimitOnMetadata) {
  EXPECT_EQ(object_headers_problem({{"x-amz-meta-a", std::string(2047, 'x')}}), std::nullopt);
  EXPECT_TRUE(object_headers_problem({{"x-amz-meta-a", std::string(2048, 'x')}}));
}

TEST(ObjectHeaders, GiveAccess) {
  const Headers before = {{"x-amz-acl", "public-read"}, {"x-amz-expected-bucket-owner", "1"}};
  const auto gives = [&](Headers after) { return gives_access(before, after); };
  EXPECT_FALSE(gives(before));
  EXPECT_FALSE(gives({{"x-amz-expected-bucket-owner", "1"}, {"cache-control", "no-store"}}));
  EXPECT_FALSE(gives({{"x-amz-acl", "private"}, {"x-amz-expected-bucket-owner", "1"}}));
  EXPECT_TRUE(gives({{"x-amz-acl", "public-read"}})) << "anybody's bucket of that name";
  EXPECT_TRUE(gives({{"x-amz-acl", "public-read"}, {"x-amz-expected-bucket-owner", "2"}}));
  for (const char* name : {"x-amz-grant-read", "x-amz-grant-full-control", "x-amz-tagging"})
    EXPECT_TRUE(gives_access({}, {{name, "a=b"}})) << name;
  EXPECT_TRUE(gives_access({{"x-amz-tagging", "a=b"}}, {{"x-amz-tagging", "a=c"}}));
  EXPECT_FALSE(gives_access({}, {{"x-amz-meta-acl", "public-read"}}));
}

TEST(ObjectHeaders, NeedRights) {
  const HeaderRights rights = rights_for({{"x-amz-acl", "private"},
                                          {"x-amz-grant-read", "id=1"},
                                          {"x-amz-tagging", "a=b"},
                                          {"x-amz-server-side-encryption-aws-kms-key-id", "k"}});
  EXPECT_EQ(rights.on_object, (std::vector<std::string>{"s3:PutObjectAcl", "s3:PutObjectTagging"}));
  EXPECT_EQ(rights.kms_key, "k");
  EXPECT_TRUE(rights_for({{"x-amz-storage-class", "GLACIER"}}).on_object.empty());
}

}  // namespace
}  // namespace hydra::s3
