// The body of an error response: what is read from it, and the corrections that follow. The input
// is a status of three digits and the body.
#include <algorithm>

#include "base/clock.hpp"
#include "fuzz.hpp"
#include "s3/bucket_rules.hpp"
#include "s3/session.hpp"

namespace hydra {
namespace {

using namespace hydra::s3;
using fuzz::require;

constexpr const char* key = "201601310400/orders/1-2.json";

int status_of(std::string_view text) {
  int status = 0;
  for (const char c : text.substr(0, 3))
    status = status * 10 + std::clamp(c - '0', 0, 9);
  return std::clamp(status, 300, 599);
}

void check(const Failure& failure) {
  for (const std::string& text :
       {failure.code, failure.message, failure.request_id, failure.region, failure.location}) {
    fuzz::require_clean(text);
  }
  require(failure.region.empty() || !region_problem(failure.region), "a region is a valid one");
  require(is_utf8(failure.text()), "the error's text is UTF-8");
  if (const auto hint = failure.hint()) require(is_utf8(*hint), "the hint is UTF-8");
}

// Another attempt goes to the same bucket, where data may go, and never from https to http.
void check_correction(const EndpointSettings& target, const Failure& failure) {
  const Places places("aws/data, http://127.0.0.1:*/a/data, https://*.example.com/data");
  Session session(target, places, [] { return std::int64_t{1369353600}; });
  const bool corrected = session.correct(failure, session.corrections(), key);
  const std::string url = session.endpoint().url();
  require(corrected || url == resolve(target).url(), "nothing moves without a correction");
  require(target.endpoint.starts_with("http:") || url.starts_with("https:"), "https stays https");
  require(url.find("/" + target.bucket) != std::string::npos, "the bucket stays the same");
  require(places.permit(session.endpoint(), target.bucket) != Permit::none, "data may go there");
  require(!region_problem(session.region()), "a region is a valid one");
}

}  // namespace
}  // namespace hydra

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hydra;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  s3::Answer answer;
  answer.status = status_of(input);
  answer.body = input.substr(std::min<std::size_t>(3, size));
  const s3::Failure failure = s3::parse_failure(answer);
  check(failure);
  check_correction({"data", "us-east-1", "", s3::Addressing::automatic}, failure);
  check_correction({"data", "us-east-1", "http://127.0.0.1:9000/a", s3::Addressing::automatic},
                   failure);
  return 0;
}
