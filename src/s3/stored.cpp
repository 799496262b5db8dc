#include "s3/stored.hpp"

#include <openssl/evp.h>

#include <algorithm>

#include "s3/error_body.hpp"
#include "s3/xml.hpp"

namespace hydra::s3 {

namespace {

using Kind = ErrorBody::Kind;

constexpr const char* check_endpoint =
    "Check endpoint, and what is between this server and the store: the server that answered has "
    "not stored the object.";
constexpr const char* check_way =
    "Check the store, and what is between this server and it: the bytes changed on the way, or the "
    "answer is not the one to this request.";

Failure stranger(const Answer& answer, std::string_view host, std::string words) {
  Failure failure;
  failure.http_status = answer.status;
  failure.stranger = clean_text(host);
  failure.message = std::move(words);
  failure.request_id = clean_text(answer.request_id);
  failure.advice = check_endpoint;
  return failure;
}

Failure damaged(const Answer& answer, const std::string& how) {
  Failure failure;
  failure.http_status = answer.status;
  failure.message = "the object was not stored as it was sent: " + how;
  failure.request_id = clean_text(answer.request_id);
  failure.action = Action::retry;
  failure.damaged = true;
  failure.advice = check_way;
  return failure;
}

// A server that sends a body on success is not an S3 store, unless the body is XML without an
// error.
std::string unexpected_body(const ErrorBody& body) {
  const char* what = body.kind == Kind::html ? "a page" : "a text";
  return body.message.empty() ? what : what + (": " + body.message);
}

}  // namespace

bool has_md5(const Answer& answer) {
  const auto is_hex = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
  };
  return !answer.etag_is_opaque && answer.etag.size() == 32 &&
         std::all_of(answer.etag.begin(), answer.etag.end(), is_hex);
}

std::optional<Failure> not_stored(const Answer& answer, std::string_view host,
                                  const SentBody& sent) {
  const ErrorBody body = read_error_body(answer.body);
  if (body.is_s3_error()) return parse_failure(answer);
  if (body.kind == Kind::html || body.kind == Kind::json || body.kind == Kind::text)
    return stranger(answer, host, unexpected_body(body));
  if (answer.status != 200) return stranger(answer, host, "S3 says 200");
  if (answer.etag.empty()) return stranger(answer, host, "the answer has no ETag");
  if (!sent.checksum.empty() && !answer.checksum.empty()) {
    if (answer.checksum == sent.checksum) return std::nullopt;
    return damaged(
        answer, "its SHA-256 is " + answer.checksum + ", that of what was sent " + sent.checksum);
  }
  if (sent.md5.empty() || !has_md5(answer) || same_name(answer.etag, sent.md5)) return std::nullopt;
  return damaged(answer, "its ETag is " + answer.etag + ", the MD5 of what was sent " + sent.md5);
}

std::string checksum_of(std::string_view sha256) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  std::string bytes;
  for (std::size_t i = 0; i + 1 < sha256.size(); i += 2)
    bytes += static_cast<char>(digit(sha256[i]) << 4 | digit(sha256[i + 1]));
  std::string text(4 * (bytes.size() / 3 + 1) + 1, '\0');
  unsigned char* to = reinterpret_cast<unsigned char*>(text.data());
  const auto* from = reinterpret_cast<const unsigned char*>(bytes.data());
  text.resize(static_cast<std::size_t>(EVP_EncodeBlock(to, from, static_cast<int>(bytes.size()))));
  return text;
}

}  // namespace hydra::s3
