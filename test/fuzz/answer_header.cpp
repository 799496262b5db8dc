// The header lines of a response, and the corrections that follow from their values.
#include "s3/answer_header.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "fuzz.hpp"
#include "s3/session.hpp"

namespace {

constexpr std::int64_t now = 1369353600;  // 2013-05-24 00:00:00

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hydra;
  using namespace hydra::s3;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  Answer answer;
  while (!input.empty()) {
    const std::size_t length = std::min(input.find('\n'), input.size() - 1) + 1;
    read_header(input.substr(0, length), now, answer);
    input.remove_prefix(length);
  }
  fuzz::require_clean(answer.etag);
  if (answer.retry_after) {
    fuzz::require(answer.retry_after->count() > 0 && answer.retry_after->count() <= 86400,
                  "a wait is of at most a day");
  }
  for (const int status : {301, 307, 400, 403, 503}) {
    answer.status = status;
    answer.body = status == 403 ? "<Code>RequestTimeTooSkewed</Code>" : "";
    const Failure failure = parse_failure(answer);
    fuzz::require_clean(failure.request_id);
    Session session({"data", "us-east-1", "https://s3.example.com", Addressing::automatic}, {},
                    [] { return now; });
    session.correct(failure, session.corrections(), "201601310400/orders/1-2.json");
    fuzz::require(amz_date(session.now()).size() == 16, "the time to sign with is a time");
    fuzz::require(session.endpoint().url().starts_with("https://"), "https stays https");
    fuzz::require(session.endpoint().url().find("/data") != std::string::npos ||
                      session.endpoint().host.starts_with("data."),
                  "the bucket stays the same");
  }
  return 0;
}
