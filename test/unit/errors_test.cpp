#include "s3/errors.hpp"

#include <gtest/gtest.h>

#include "base/utf8.hpp"

namespace hydra::s3 {
namespace {

std::string error_body(const std::string& code, const std::string& message) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code + "</Code><Message>" +
         message + "</Message><RequestId>ABC</RequestId></Error>";
}

TEST(Failure, ReadsAsOneLine) {
  const Failure failure = parse_failure(403, error_body("AccessDenied", "Access Denied"), "");
  EXPECT_EQ(failure.text(), "S3 answered 403 AccessDenied: Access Denied (request id ABC)");
  EXPECT_EQ(failure.action, Action::stop);
  EXPECT_NE(failure.hint()->find("s3:PutObject"), std::string::npos);
}

TEST(Failure, SaysWhenNoAnswerCame) {
  const Failure failure = transport_failure("127.0.0.1:9000", "Connection refused", true);
  EXPECT_EQ(failure.text(), "no answer from 127.0.0.1:9000: Connection refused");
  EXPECT_EQ(failure.action, Action::retry);
  EXPECT_EQ(failure.hint(), std::nullopt);
  EXPECT_EQ(transport_failure("a", "bad certificate", false).action, Action::stop);
}

TEST(Failure, GivesItsOwnWordsWhereTheStoreHasNone) {
  EXPECT_EQ(parse_failure(403, error_body("InvalidAccessKeyId", ""), "").text(),
            "S3 answered 403 InvalidAccessKeyId: the access key is unknown (request id ABC)");
  EXPECT_EQ(parse_failure(404, "<Error><Code>NoSuchBucket</Code><Message/></Error>", "").text(),
            "S3 answered 404 NoSuchBucket: the bucket does not exist");
  EXPECT_EQ(parse_failure(502, "<html><h1>Bad Gateway</h1></html>", "").text(),
            "S3 answered 502: bad gateway");
  EXPECT_EQ(parse_failure(418, "", "").text(), "S3 answered 418");
}

TEST(Failure, TakesTheRequestIdFromTheHeaderWhereTheBodyHasNone) {
  EXPECT_EQ(parse_failure(503, "", "XYZ").request_id, "XYZ");
  EXPECT_EQ(parse_failure(503, error_body("SlowDown", ""), "XYZ").request_id, "ABC");
}

TEST(Action, RetriesWhatCanHeal) {
  for (int status : {408, 429, 500, 502, 503, 504})
    EXPECT_EQ(parse_failure(status, "", "").action, Action::retry) << status;
  EXPECT_EQ(parse_failure(400, error_body("RequestTimeout", ""), "").action, Action::retry);
  EXPECT_EQ(parse_failure(403, error_body("SlowDown", ""), "").action, Action::retry);
  EXPECT_EQ(parse_failure(503, error_body("SomethingNew", ""), "").action, Action::retry);
}

TEST(Action, StopsAtEverythingElse) {
  for (int status : {301, 307, 400, 401, 403, 404, 405, 411, 412, 418, 501, 505})
    EXPECT_EQ(parse_failure(status, "", "").action, Action::stop) << status;
  for (const char* code :
       {"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "NoSuchBucket", "New"})
    EXPECT_EQ(parse_failure(400, error_body(code, ""), "").action, Action::stop) << code;
}

TEST(ParseFailure, DecodesEntities) {
  EXPECT_EQ(
      parse_failure(400, error_body("X", "&lt;a&gt; &amp;amp; &quot;&apos;&#233;&#x20AC;"), "")
          .message,
      "<a> &amp; \"'\u00e9\u20ac");
  EXPECT_EQ(parse_failure(400, error_body("X", "a & b; c &unknown; &#10;d"), "").message,
            "a & b; c &unknown; d");
}

TEST(ParseFailure, SurvivesAnyBody) {
  for (const char* body :
       {"", "<", "<Code>", "<Error><Code>Acc", "</Code>", "<Code></Code>", "&#", "<Code>&#;</Code>",
        "<Message>&", "<Message>&#x110000;&#xd800;</Message>"}) {
    const Failure failure = parse_failure(400, body, "");
    EXPECT_TRUE(is_utf8(failure.text())) << body;
    EXPECT_EQ(failure.action, Action::stop);
  }
}

TEST(ParseFailure, TakesNoSecretsFromTheBody) {
  const std::string body =
      "<Error><Code>SignatureDoesNotMatch</Code><Message>does not match</Message>"
      "<AWSAccessKeyId>AKIDSECRET</AWSAccessKeyId><StringToSign>AWS4-HMAC</StringToSign>"
      "<SignatureProvided>deadbeef</SignatureProvided><CanonicalRequest>PUT</CanonicalRequest>"
      "<RequestId>ABC</RequestId></Error>";
  const Failure failure = parse_failure(403, body, "");
  EXPECT_EQ(failure.text(),
            "S3 answered 403 SignatureDoesNotMatch: does not match (request id ABC)");
}

TEST(CleanText, RemovesControlCharactersAndInvalidBytes) {
  EXPECT_EQ(clean_text("a\nb\x1b[31m\x7f\u0085\xff"), "ab[31m?");
}

TEST(CleanText, CutsBetweenCharacters) {
  std::string text = "x";
  for (int i = 0; i < 400; ++i)
    text += "\u20ac";
  const std::string cut = clean_text(text);
  EXPECT_EQ(cut.size(), 511u);
  EXPECT_TRUE(is_utf8(cut));
}

}  // namespace
}  // namespace hydra::s3
