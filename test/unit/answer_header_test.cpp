#include "s3/answer_header.hpp"

#include <gtest/gtest.h>

namespace hydra::s3 {
namespace {

using std::chrono::seconds;

constexpr std::int64_t now = 1369353600;  // 2013-05-24 00:00:00

Answer read(std::string_view line) {
  Answer answer;
  read_header(line, now, answer);
  return answer;
}

TEST(AnswerHeader, NamesAreFoundInAnyCase) {
  EXPECT_EQ(read("X-Amz-Request-Id:  4442587F \r\n").request_id, "4442587F");
  EXPECT_EQ(read("x-amz-bucket-region:eu-west-1\r\n").region, "eu-west-1");
  EXPECT_EQ(read("ETAG: \"9b2c\"\r\n").etag, "9b2c");
  EXPECT_EQ(read("Location: https://s3.example.com/data/a\r\n").location,
            "https://s3.example.com/data/a");
  EXPECT_EQ(read("x-etag: \"9b2c\"\r\n").etag, "");
}

TEST(AnswerHeader, AStatusLineBeginsAnew) {
  Answer answer = read("Date: Fri, 24 May 2013 00:00:05 GMT\r\n");
  EXPECT_EQ(answer.date, now + 5);
  read_header("HTTP/1.1 200 OK\r\n", now, answer);
  EXPECT_EQ(answer.date, std::nullopt);
}

TEST(AnswerHeader, ADateThatIsNoneIsNotTaken) {
  for (const char* date : {"", "yesterday", "Fri, 24 May 2013003:00:00 GMT", "99999999999999"})
    EXPECT_EQ(read(std::string("Date: ") + date + "\r\n").date, std::nullopt) << date;
}

TEST(AnswerHeader, AWaitIsInSecondsOrUntilADate) {
  EXPECT_EQ(read("Retry-After: 120\r\n").retry_after, seconds{120});
  EXPECT_EQ(read("Retry-After: Fri, 24 May 2013 00:01:00 GMT\r\n").retry_after, seconds{60});
  EXPECT_EQ(read("Retry-After: 99999999999999999999\r\n").retry_after, seconds{86400});
  EXPECT_EQ(read("Retry-After: 9223372036854775807\r\n").retry_after, seconds{86400});
  for (const char* none : {"", "0", "-1", "soon", "Fri, 24 May 2013 00:00:00 GMT"})
    EXPECT_EQ(read(std::string("Retry-After: ") + none + "\r\n").retry_after, std::nullopt) << none;
}

}  // namespace
}  // namespace hydra::s3
