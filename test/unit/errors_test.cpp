#include "s3/errors.hpp"

#include <gtest/gtest.h>

#include <set>

#include "base/utf8.hpp"

namespace hydra::s3 {
namespace {

std::string error_body(const std::string& code, const std::string& message) {
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>" + code + "</Code><Message>" +
         message + "</Message><RequestId>ABC</RequestId></Error>";
}

Failure parse_failure(int status, std::string_view body, std::string_view request_id) {
  Answer answer;
  answer.status = status;
  answer.body = body;
  answer.request_id = request_id;
  return s3::parse_failure(answer);
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
  EXPECT_EQ(parse_failure(502, "<html></html>", "").text(), "S3 answered 502: bad gateway");
  EXPECT_EQ(parse_failure(418, "", "").text(), "S3 answered 418");
}

TEST(Failure, TakesTheRequestIdFromTheHeaderWhereTheBodyHasNone) {
  EXPECT_EQ(parse_failure(503, "", "XYZ").request_id, "XYZ");
  EXPECT_EQ(parse_failure(503, error_body("SlowDown", ""), "XYZ").request_id, "ABC");
}

// The expected values of each entry of the table, written down independently.
struct Promise {
  int status;
  const char* code;
  Action action;
  Fix fix;
};

using enum Action;

constexpr Promise promises[] = {
    {400, "RequestTimeout", retry, Fix::none},
    {400, "IncompleteBody", retry, Fix::none},
    {400, "BadDigest", retry, Fix::none},
    {400, "XAmzContentSHA256Mismatch", retry, Fix::none},
    {409, "OperationAborted", retry, Fix::none},
    {409, "ConditionalRequestConflict", retry, Fix::none},
    {429, "TooManyRequests", retry, Fix::none},
    {500, "InternalError", retry, Fix::none},
    {503, "SlowDown", retry, Fix::none},
    {503, "ServiceUnavailable", retry, Fix::none},
    {503, "RequestLimitExceeded", retry, Fix::none},
    {400, "ThrottlingException", retry, Fix::none},
    {400, "KMS.ThrottlingException", retry, Fix::none},
    {403, "RequestTimeTooSkewed", fix, Fix::clock},
    {403, "RequestExpired", fix, Fix::clock},
    {400, "ExpiredToken", fix, Fix::credentials},
    {400, "ExpiredTokenException", fix, Fix::credentials},
    {400, "TokenRefreshRequired", fix, Fix::credentials},
    {400, "InvalidToken", fix, Fix::credentials},
    {301, "PermanentRedirect", fix, Fix::place},
    {307, "TemporaryRedirect", fix, Fix::place},
    {307, "Redirect", fix, Fix::place},
    {400, "AuthorizationHeaderMalformed", fix, Fix::place},
    {400, "IllegalLocationConstraintException", fix, Fix::place},
    {400, "EntityTooLarge", skip, Fix::none},
    {400, "KeyTooLongError", skip, Fix::none},
    {400, "InvalidURI", skip, Fix::none},
    {400, "InvalidObjectName", skip, Fix::none},
    {400, "XMinioInvalidObjectName", skip, Fix::none},
    {403, "AccessDenied", stop, Fix::none},
    {403, "InvalidAccessKeyId", stop, Fix::none},
    {403, "SignatureDoesNotMatch", stop, Fix::none},
    {403, "AllAccessDisabled", stop, Fix::none},
    {403, "AccountProblem", stop, Fix::none},
    {403, "NotSignedUp", stop, Fix::none},
    {403, "InvalidObjectState", stop, Fix::none},
    {403, "QuotaExceeded", stop, Fix::none},
    {403, "XMinioStorageFull", stop, Fix::none},
    {404, "NoSuchBucket", stop, Fix::none},
    {400, "InvalidBucketName", stop, Fix::none},
    {400, "InvalidArgument", stop, Fix::none},
    {400, "InvalidRequest", stop, Fix::none},
    {400, "InvalidStorageClass", stop, Fix::none},
    {400, "InvalidTag", stop, Fix::none},
    {400, "AccessControlListNotSupported", stop, Fix::none},
    {400, "KMS.NotFoundException", stop, Fix::none},
    {400, "KMS.DisabledException", stop, Fix::none},
    {405, "MethodNotAllowed", stop, Fix::none},
    {412, "PreconditionFailed", stop, Fix::none},
    {501, "NotImplemented", stop, Fix::none},
    {408, "", retry, Fix::none},
    {409, "", retry, Fix::none},
    {425, "", retry, Fix::none},
    {429, "", retry, Fix::none},
    {500, "", retry, Fix::none},
    {502, "", retry, Fix::none},
    {503, "", retry, Fix::none},
    {504, "", retry, Fix::none},
    {301, "", fix, Fix::place},
    {302, "", stop, Fix::none},
    {303, "", stop, Fix::none},
    {304, "", stop, Fix::none},
    {307, "", fix, Fix::place},
    {308, "", fix, Fix::place},
    {400, "", stop, Fix::none},
    {401, "", stop, Fix::none},
    {403, "", stop, Fix::none},
    {404, "", stop, Fix::none},
    {405, "", stop, Fix::none},
    {407, "", stop, Fix::none},
    {411, "", stop, Fix::none},
    {412, "", stop, Fix::none},
    {413, "", skip, Fix::none},
    {414, "", skip, Fix::none},
    {501, "", stop, Fix::none},
    {505, "", stop, Fix::none},
    {507, "", stop, Fix::none},
};

TEST(ErrorTable, DoesWhatIsPromised) {
  for (const Promise& promise : promises) {
    const Failure failure = parse_failure(promise.status, error_body(promise.code, ""), "");
    EXPECT_EQ(failure.action, promise.action) << promise.status << ' ' << promise.code;
    EXPECT_EQ(failure.fix, promise.fix) << promise.status << ' ' << promise.code;
    EXPECT_FALSE(failure.message.empty()) << promise.status << ' ' << promise.code;
  }
  EXPECT_EQ(std::size(promises), known_errors().size()) << "a row without a promise";
}

TEST(ErrorTable, HasEachRowOnce) {
  std::set<std::pair<int, std::string_view>> seen;
  for (const KnownError& row : known_errors()) {
    EXPECT_TRUE(seen.insert({row.code.empty() ? row.status : 0, row.code}).second) << row.code;
    EXPECT_EQ(row.action == fix, row.fix != Fix::none) << row.code;
  }
}

TEST(ErrorTable, EitherReasonToTryAgainIsEnough) {
  EXPECT_EQ(action_for(403, "SlowDown"), retry);
  EXPECT_EQ(action_for(503, "SomethingNew"), retry);
  EXPECT_EQ(action_for(500, "AccessDenied"), retry);
}

TEST(ErrorTable, JudgesTheUnknownByItsStatus) {
  EXPECT_EQ(action_for(520, ""), retry);
  EXPECT_EQ(action_for(400, "SomethingNew"), stop);
  EXPECT_EQ(action_for(418, ""), stop);
}

TEST(Failure, NamesTheBucketsRegion) {
  Answer answer;
  answer.status = 301;
  answer.region = "eu-central-1";
  EXPECT_EQ(s3::parse_failure(answer).hint(), "Set region to \"eu-central-1\".");
  answer.region = "not a region\r\n";
  EXPECT_EQ(s3::parse_failure(answer).hint(), "Set region to the bucket's own region.");
  answer.body =
      "<Error><Code>AuthorizationHeaderMalformed</Code><Region>us-west-2</Region></Error>";
  EXPECT_EQ(s3::parse_failure(answer).region, "us-west-2");
}

TEST(Failure, SameReasonMeansStatusAndCode) {
  const Failure slow = parse_failure(503, error_body("SlowDown", "a"), "1");
  EXPECT_TRUE(slow.same_reason(parse_failure(503, error_body("SlowDown", "b"), "2")));
  EXPECT_FALSE(slow.same_reason(parse_failure(503, "", "")));
  EXPECT_TRUE(transport_failure("a", "x", true).same_reason(transport_failure("b", "y", true)));
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

TEST(Failure, NamesWhereAPageLedTo) {
  Answer answer;
  answer.status = 302;
  answer.location = "https://login.example.com/form?token=secret";
  EXPECT_EQ(s3::parse_failure(answer).text(),
            "S3 answered 302: the endpoint answers with another page (of login.example.com)");
  answer.location = "/login";
  EXPECT_EQ(s3::parse_failure(answer).text(),
            "S3 answered 302: the endpoint answers with another page");
}

TEST(Failure, KnowsAPortThatSpeaksTls) {
  for (const char* body : {"Client sent an HTTP request to an HTTPS server.\n",
                           "<html><head><title>400 The plain HTTP request was sent to HTTPS port"
                           "</title></head></html>"})
    EXPECT_NE(parse_failure(400, body, "").hint()->find("https://"), std::string::npos) << body;
  EXPECT_EQ(parse_failure(400, "bad HTTP request", "").hint()->find("https://"), std::string::npos);
}

// S3's response until 2024, and the responses of Google, Backblaze and others.
TEST(Failure, KnowsARefusedCondition) {
  EXPECT_TRUE(parse_failure(501, "", "").refuses_condition());
  EXPECT_TRUE(parse_failure(400,
                            "<Error><Code>InvalidArgument</Code><ArgumentName>If-None-Match"
                            "</ArgumentName></Error>",
                            "")
                  .refuses_condition());
  EXPECT_TRUE(parse_failure(400, R"({"message": "unsupported header 'if-none-match'"})", "")
                  .refuses_condition());
  EXPECT_FALSE(parse_failure(400, error_body("InvalidArgument", ""), "").refuses_condition());
  EXPECT_FALSE(parse_failure(403, error_body("AccessDenied", ""), "").refuses_condition());
  EXPECT_FALSE(
      parse_failure(
          412, "<Error><Code>PreconditionFailed</Code><Condition>If-None-Match</Condition></Error>",
          "")
          .refuses_condition());
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
