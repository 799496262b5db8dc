#include "s3/error_body.hpp"

#include <gtest/gtest.h>

#include "s3/xml.hpp"

namespace hydra::s3 {
namespace {

using Kind = ErrorBody::Kind;

// "code|message|request id"
std::string said(std::string_view body) {
  const ErrorBody found = read_error_body(body);
  return found.code + '|' + found.message + '|' + found.request_id;
}

TEST(ErrorBody, ReadsS3) {
  const ErrorBody body = read_error_body(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>PermanentRedirect</Code>"
      "<Message>Elsewhere</Message><RequestId>R</RequestId><Region>eu-west-1</Region>"
      "<Endpoint>data.s3.eu-west-1.amazonaws.com</Endpoint></Error>");
  EXPECT_EQ(body.kind, Kind::xml);
  EXPECT_TRUE(body.is_s3_error());
  EXPECT_EQ(body.region, "eu-west-1");
  EXPECT_EQ(body.endpoint, "data.s3.eu-west-1.amazonaws.com");
}

TEST(ErrorBody, ReadsXmlThatIsWrittenOtherwise) {
  const std::string expected = "AccessDenied|no way|R1";
  EXPECT_EQ(said("<Error><Code><![CDATA[AccessDenied]]></Code><Message><![CDATA[no way]]></Message>"
                 "<RequestId>R1</RequestId></Error>"),
            expected);
  EXPECT_EQ(said("<s3:Error xmlns:s3=\"http://s3.example/\"><s3:Code>AccessDenied</s3:Code>"
                 "<s3:Message xml:lang='en'>no way</s3:Message><s3:RequestId>R1</s3:RequestId>"
                 "</s3:Error>"),
            expected);
  EXPECT_EQ(
      said("<Response><Errors><Error><Code>AccessDenied</Code><Message>no <b>way</b></Message>"
           "</Error></Errors><RequestId>R1</RequestId></Response>"),
      expected);
  EXPECT_EQ(said("<error><code>AccessDenied</code><message> no\n  way </message>"
                 "<requestid>R1</requestid></error>"),
            expected);
  EXPECT_EQ(said("\xef\xbb\xbf \r\n<!-- <Code>Other</Code> --><Error><Code>AccessDenied</Code>"
                 "<Message>no way</Message><RequestId>R1</RequestId></Error>"),
            expected);
  EXPECT_EQ(said("8f\r\n<Error><Code>AccessDenied</Code><Message>no way</Message>"
                 "<RequestId>R1</RequestId></Error>\r\n0\r\n"),
            expected);
  EXPECT_EQ(said("<problem><title>Quota exceeded</title><detail>for you</detail></problem>"),
            "|Quota exceeded for you|");
}

TEST(ErrorBody, TakesLittleOfWhatWasCutShort) {
  EXPECT_EQ(said("<Error><Code>AccessDenied</Code><Message>no w"), "AccessDenied|no w|");
  EXPECT_EQ(said("<Error><Code>Acc<Message>no</Message><SecretKey>x"), "Acc|no|");
  EXPECT_EQ(said("<Error><Code>AccessDenied</Co"), "AccessDenied||");
}

TEST(ErrorBody, ReadsJson) {
  // Oracle, Supabase (old and new), Google, an API gateway, OAuth, problem details, RGW,
  // Cloudflare.
  EXPECT_EQ(
      said(R"({"code": "NotAuthenticated", "message": "The required information is missing"})"),
      "NotAuthenticated|The required information is missing|");
  EXPECT_EQ(said(R"({"statusCode":"404","error":"Bucket not found","message":"Bucket not found"})"),
            "|Bucket not found|");
  EXPECT_EQ(said(R"({"statusCode":"403","error":"SignatureDoesNotMatch","message":"It does not",)"
                 R"("code":"SignatureDoesNotMatch"})"),
            "SignatureDoesNotMatch|It does not|");
  EXPECT_EQ(
      said(R"({"error":{"code":403,"message":"no access","errors":[{"reason":"forbidden"}]}})"),
      "|no access|");
  EXPECT_EQ(said(R"({"message":"Forbidden"})"), "|Forbidden|");
  EXPECT_EQ(said(R"({"error":"invalid_token","error_description":"It has expired"})"),
            "invalid_token|It has expired|");
  EXPECT_EQ(said(R"({"type":"about:blank","title":"Over quota","status":403})"), "|Over quota|");
  EXPECT_EQ(said(R"({"Code":"NoSuchBucket","RequestId":"tx0-1","HostId":"h"})"),
            "NoSuchBucket||tx0-1");
  EXPECT_EQ(said(R"({"success":false,"errors":[{"code":10000,"message":"Authentication error"}]})"),
            "|Authentication error|");
  EXPECT_EQ(said(R"({"__type":"com.example#AccessDeniedException","Message":"no"})"),
            "AccessDeniedException|no|");
  EXPECT_EQ(said(R"({"fault":{"faultstring":"x"}})"), R"(|{"fault":{"faultstring":"x"}}|)");
  EXPECT_EQ(said(R"({"message": "cut sh)"), R"(|{"message": "cut sh|)");
}

TEST(ErrorBody, ReadsPages) {
  EXPECT_EQ(
      said("<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body><center><h1>502 Bad "
           "Gateway</h1></center><hr><center>nginx</center></body></html>"),
      "|502 Bad Gateway|");
  EXPECT_EQ(
      said("<!DOCTYPE html>\n<HTML><head><style>h1 {x: y}</style></head><body><script>if (a < b) "
           "{}</script><p>Access to this site is <b>blocked</b>&#46;</p></body></HTML>"),
      "|Access to this site is blocked .|");
  EXPECT_EQ(said("<html><body><code>AccessDenied</code><h1>Not here</h1></body></html>"),
            "|Not here|");
  EXPECT_EQ(said("<html></html>"), "||");
}

TEST(ErrorBody, ReadsText) {
  EXPECT_EQ(said("upstream connect error or disconnect/reset before headers\n"),
            "|upstream connect error or disconnect/reset before headers|");
  EXPECT_EQ(said("a\n\n  b < c"), "|a b < c|");
  EXPECT_EQ(said("\x16\x03\x01 what?"), "||");
  EXPECT_EQ(said("\xff\xfe"), "||");
  EXPECT_EQ(said(""), "||");
  EXPECT_EQ(said(" \r\n"), "||");
}

TEST(ErrorBody, IsShort) {
  std::string text;
  for (int i = 0; i < 300; ++i)
    text += "\u20ac";
  const std::string message = read_error_body(text).message;
  EXPECT_EQ(message.size(), 201u);
  EXPECT_TRUE(message.ends_with("\u20ac..."));
}

TEST(ErrorBody, RepeatsNoSecret) {
  EXPECT_EQ(said("PUT refused: Authorization: AWS4-HMAC-SHA256 Credential=AKIA/x, Signature=abc"),
            "|PUT refused: ...|");
  EXPECT_EQ(said(R"({"message":"requires more. authorization=Bearer eyJh"})"),
            "|requires more. ...|");
  EXPECT_EQ(said("<html><title>x-amz-security-token: IQoJb3</title></html>"), "|x-amz-...|");
  EXPECT_EQ(said("<Error><Code>X</Code><Message>got signature=deadbeef</Message></Error>"),
            "X|got ...|");
  EXPECT_EQ(said("<Error><StringToSign>AWS4</StringToSign><Key>k</Key></Error>"), "||");
}

TEST(XmlElement, ReadsKeysOfSts) {
  const std::string body =
      "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>"
      "<Credentials><AccessKeyId>AK</AccessKeyId><SecretAccessKey>a+b/c=</SecretAccessKey>"
      "</Credentials></AssumeRoleResult></AssumeRoleResponse>";
  EXPECT_EQ(xml_element(body, "SecretAccessKey"), "a+b/c=");
  EXPECT_EQ(xml_element(body, "Missing"), "");
}

}  // namespace
}  // namespace hydra::s3
