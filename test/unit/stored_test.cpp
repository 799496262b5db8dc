#include "s3/stored.hpp"

#include <gtest/gtest.h>

#include "client_fixture.hpp"
#include "s3/answer_header.hpp"
#include "s3/transfer.hpp"

namespace hydra::s3 {
namespace {

using namespace hydra::s3::test;

constexpr const char* md5_of_lines = "8a80554c91d9fca8acb82f023de02f11";  // of "{}\n"
constexpr const char* other_md5 = "d41d8cd98f00b204e9800998ecf8427e";

Answer answer_with(const std::string& etag, const std::string& body = "", int status = 200) {
  Answer answer;
  answer.status = status;
  answer.etag = etag;
  answer.body = body;
  return answer;
}

// What is wrong with the answer, "" for nothing.
std::string problem(const Answer& answer) {
  const auto failure = not_stored(answer, "store.example", {"", md5_of_lines});
  return failure ? failure->text() : "";
}

TEST(Stored, IsWhatS3AnswersTo) {
  EXPECT_EQ(problem(answer_with(md5_of_lines)), "");
  EXPECT_EQ(problem(answer_with("8A80554C91D9FCA8ACB82F023DE02F11")), "");
  EXPECT_EQ(problem(answer_with(md5_of_lines, "\r\n")), "");
  EXPECT_EQ(problem(answer_with(md5_of_lines, "<PutObjectResult/>")), "");
}

// Of multipart uploads, of Azure and of Google with keys of its KMS.
TEST(Stored, NotEveryEtagIsAnMd5) {
  for (const char* etag : {"d41d8cd98f00b204e9800998ecf8427e-1", "0x8DB2F1C2E4A7F00",
                           "CKih16GjycICEAE=", "6b2f5a3e-9a55-4bd2-8c3f-5f0f3c1f2b11"})
    EXPECT_EQ(problem(answer_with(etag)), "") << etag;
  Answer encrypted = answer_with(other_md5);
  encrypted.etag_is_opaque = true;
  EXPECT_EQ(problem(encrypted), "");
}

TEST(Stored, NotUnderAnotherEtag) {
  const auto failure = not_stored(answer_with(other_md5), "store.example", {"", md5_of_lines});
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->text(),
            "S3 answered 200: the object was not stored as it was sent: its ETag is "
            "d41d8cd98f00b204e9800998ecf8427e, the MD5 of what was sent "
            "8a80554c91d9fca8acb82f023de02f11");
  EXPECT_EQ(failure->action, Action::retry);
  EXPECT_TRUE(failure->damaged);
}

TEST(Stored, NotWithAnotherChecksum) {
  const std::string sent = checksum_of(hex(sha256("{}\n")));
  Answer answer = answer_with(other_md5);
  answer.checksum = sent;
  EXPECT_EQ(not_stored(answer, "h", {sent, ""}), std::nullopt);
  answer.checksum = checksum_of(hex(sha256("")));
  EXPECT_EQ(not_stored(answer, "h", {sent, ""})->action, Action::retry);
}

TEST(Stored, NotByAPage) {
  const auto failure = not_stored(
      answer_with(md5_of_lines, "<!DOCTYPE html><html><title>Sign in</title></html>"), "h", {});
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->text(), "h answered 200, not as an S3 store does: a page: Sign in");
  EXPECT_EQ(failure->action, Action::stop);
  EXPECT_NE(failure->hint()->find("endpoint"), std::string::npos);
}

TEST(Stored, NotByWhateverElseAnswers) {
  const std::string start = "store.example answered ";
  const std::string strange = ", not as an S3 store does: ";
  EXPECT_EQ(problem(answer_with("")), start + "200" + strange + "the answer has no ETag");
  EXPECT_EQ(problem(answer_with(md5_of_lines, "", 201)), start + "201" + strange + "S3 says 200");
  EXPECT_EQ(problem(answer_with("", "", 204)), start + "204" + strange + "S3 says 200");
  EXPECT_EQ(problem(answer_with(md5_of_lines, "OK")), start + "200" + strange + "a text: OK");
  EXPECT_EQ(problem(answer_with(md5_of_lines, R"({"message": "ok"})")),
            start + "200" + strange + "a text: ok");
}

TEST(Stored, NotWithAnErrorInside) {
  const std::string slow = "<Error><Code>SlowDown</Code><Message>Later</Message></Error>";
  const auto failure = not_stored(answer_with(md5_of_lines, slow), "h", {});
  ASSERT_TRUE(failure.has_value());
  EXPECT_EQ(failure->text(), "S3 answered 200 SlowDown: Later");
  EXPECT_EQ(failure->action, Action::retry);
}

TEST(Stored, KeysOfAKmsMakeEtagsOpaque) {
  const auto is_opaque = [](const char* line) {
    Answer answer;
    read_header(line, 0, answer);
    return answer.etag_is_opaque;
  };
  for (const char* line :
       {"x-amz-server-side-encryption: aws:kms\r\n", "X-Amz-Server-Side-Encryption: aws:kms:dsse",
        "x-amz-server-side-encryption-aws-kms-key-id: arn:aws:kms:x",
        "x-amz-server-side-encryption-customer-algorithm: AES256",
        "x-goog-encryption-kms-key-name: k", "ibm-sse-kp-enabled: true",
        "x-oss-server-side-encryption: KMS"})
    EXPECT_TRUE(is_opaque(line)) << line;
  for (const char* line : {"x-amz-server-side-encryption: AES256\r\n", "ETag: \"a\"",
                           "x-amz-server-side-encryption-bucket-key-enabled: true"})
    EXPECT_FALSE(is_opaque(line)) << line;
}

TEST(Stored, AwsIsSentTheChecksum) {
  const auto checksum = [](const char* endpoint) -> std::string {
    const Session session({"data", "eu-west-1", endpoint}, Places(), [] { return 0; });
    Job job;
    job.upload = upload_of(1, "{}\n");
    for (const auto& [name, value] : put_request({}, session, job, "20130524T000000Z").headers)
      if (name == "x-amz-checksum-sha256") return value;
    return "";
  };
  EXPECT_EQ(checksum(""), "yj0WO6sFU4GCciYUBWjzvvfqrBh869doeOC2Pp5EI1Y=");
  EXPECT_EQ(checksum("https://minio.example.com"), "");
}

// ---- by the client

class StoredTest : public ClientTest {
 protected:
  static Reply stored(const std::string& etag, const std::string& more = "") {
    return {Reply::answer, 200, "", "ETag: \"" + etag + "\"\r\n" + more};
  }
};

TEST_F(StoredTest, ADamagedObjectIsSentAgain) {
  server_.script({stored(other_md5), stored(md5_of_lines)});
  const Outcome outcome = upload();
  EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(outcome.attempts, 2);
  EXPECT_EQ(outcome.etag, md5_of_lines);
}

// The object exists and is ours, so the store must not refuse the attempt that repairs it.
TEST_F(StoredTest, AndOverwritten) {
  options_.conditional = true;
  server_.script({stored(other_md5), stored(md5_of_lines)});
  EXPECT_TRUE(upload().ok);
  EXPECT_EQ(server_.received().at(0).headers.count("if-none-match"), 1u);
  EXPECT_EQ(server_.received().at(1).headers.count("if-none-match"), 0u);
}

TEST_F(StoredTest, AndFailsInTheEnd) {
  options_.max_attempts = 2;
  server_.script({stored(other_md5), stored(other_md5)});
  const Outcome outcome = upload();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.attempts, 2);
  EXPECT_NE(outcome.failure->text().find(other_md5), std::string::npos);
  EXPECT_NE(outcome.failure->text().find(md5_of_lines), std::string::npos);
}

TEST_F(StoredTest, EachAttemptIsComparedByItself) {
  const std::string text = random_text(3 << 20);
  Md5 md5;
  md5.start();
  md5.update(text);
  const std::string etag = md5.hex();
  for (const Reply& before : {Reply{Reply::reset}, Reply{Reply::no_answer}, stored(other_md5)}) {
    server_.script({before, stored(etag)});
    const Outcome outcome = upload(text);
    EXPECT_TRUE(outcome.ok);
    EXPECT_EQ(outcome.etag, etag);
  }
}

// libcurl itself sends it again where a connection was used before.
TEST_F(StoredTest, AlsoWhereLibcurlTriesAgain) {
  options_.concurrency = 1;
  server_.script({stored(md5_of_lines), {Reply::no_answer}, stored(md5_of_lines)});
  Client client(options_);
  client.put(upload_of(1, "{}\n"));
  client.put(upload_of(2, "{}\n"));
  for (const Outcome& outcome : wait_for(client))
    EXPECT_TRUE(outcome.ok);
  EXPECT_EQ(server_.received().size(), 3u);
}

// Whatever the previous response suggested.
TEST_F(StoredTest, EachAnswerIsComparedByItself) {
  options_.concurrency = 1;
  options_.max_attempts = 1;
  server_.script({stored("0x8DB2F1C2E4A7F00"), stored(other_md5), stored("0x8DB2F1C2E4A7F00"),
                  stored(md5_of_lines)});
  Client client(options_);
  for (const bool ok : {true, false, true, true}) {
    client.put(upload_of(1, "{}\n"));
    EXPECT_EQ(wait_for(client).at(0).ok, ok);
  }
}

TEST_F(StoredTest, EncryptionIsNoDamage) {
  server_.script({stored(other_md5, "x-amz-server-side-encryption: aws:kms\r\n")});
  EXPECT_TRUE(upload().ok);
  server_.script({stored(other_md5)});
  options_.object_headers = {{"x-amz-server-side-encryption", "aws:kms"}};
  EXPECT_TRUE(upload().ok);
}

TEST_F(StoredTest, APageIsNoStore) {
  server_.script({{Reply::answer, 200, "<html><body><h1>Log in</h1></body></html>", ""}});
  const Outcome outcome = upload();
  EXPECT_FALSE(outcome.ok);
  EXPECT_EQ(outcome.attempts, 1);
  EXPECT_EQ(outcome.failure->text(),
            server_.host() + " answered 200, not as an S3 store does: a page: Log in");
}

}  // namespace
}  // namespace hydra::s3
