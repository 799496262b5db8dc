// What went wrong with a request, in words that a user understands, and what to do about it
// (design.md, section 9; codes from the S3 API Reference, "Error responses").
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hydra::s3 {

enum class Action { retry, stop };

// One failed attempt: S3's refusal (http_status is not 0) or no answer at all (it is 0, and
// `transport` says why). All strings are valid UTF-8 without control characters, 512 bytes at
// most, and hold neither credentials nor signatures.
struct Failure {
  int http_status = 0;
  std::string code;        // "AccessDenied"
  std::string message;     // S3's words; our own where the store gives none
  std::string request_id;  // for the store's support
  std::string transport;   // curl's words, when no answer came
  std::string host;        // "host" or "host:port", when no answer came
  Action action = Action::stop;

  // One line: "S3 answered 403 AccessDenied: Access Denied (request id ABC)", or
  // "no answer from host:port: Connection refused".
  std::string text() const;

  // What to do, as sentences; nothing where we know of nothing.
  std::optional<std::string> hint() const;
};

// Reads an answer's <Code>, <Message> and <RequestId>, and no other element of it. The body may
// be anything: XML, HTML of a proxy, cut short, empty. The header's request id is used where the
// body has none.
Failure parse_failure(int status, std::string_view body, std::string_view request_id_header);

// No answer came. `heals` = false for failures that come again however often one tries.
Failure transport_failure(std::string_view host, std::string_view words, bool heals);

// Text from outside made fit for messages and tables: control characters removed, bytes that are
// not UTF-8 replaced by '?', cut after at most 512 bytes without cutting a character.
std::string clean_text(std::string_view text);

}  // namespace hydra::s3
