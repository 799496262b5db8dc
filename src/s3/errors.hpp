// What went wrong with a request, in words that a user understands.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "s3/error_table.hpp"

namespace hydra::s3 {

// A store's answer to a request, as it came.
struct Answer {
  int status = 0;
  std::string body;                  // what was kept of it
  std::string request_id;            // x-amz-request-id
  std::string region;                // x-amz-bucket-region
  std::string location;              // Location
  std::string checksum;              // x-amz-checksum-sha256
  std::string etag;                  // without its quotes
  bool etag_is_opaque = false;       // headers say that it is no MD5, as with keys of a KMS
  std::optional<std::int64_t> date;  // Date, in Unix seconds
  std::optional<std::chrono::seconds> retry_after;  // Retry-After, from now
};

// One failed attempt: S3's refusal (http_status is not 0) or no answer at all (it is 0, and
// `transport` says why). All strings are valid UTF-8 without control characters, 512 bytes at
// most, and hold neither credentials nor signatures.
struct Failure {
  int http_status = 0;
  std::string code;        // "AccessDenied"
  std::string message;     // S3's words; our own where the store gives none
  std::string request_id;  // for the store's support
  std::string transport;   // why no answer came, or why no request was made
  std::string host;        // "host" or "host:port", when no answer came; '' = no request was made
  std::string stranger;    // the host that answered, where it did not answer as an S3 store does
  Action action = Action::stop;

  // For Action::fix: what to put right, and what the answer says about it.
  Fix fix = Fix::none;
  std::string region;    // the bucket's own, a valid name; '' = not said
  std::string location;  // the URL, or host, of the bucket's own endpoint; '' = not said
  std::optional<std::int64_t> date;  // the store's time, in Unix seconds

  bool perhaps_stored = false;   // the object may be there all the same
  bool damaged = false;          // an object is there, and it is not what was sent
  bool names_condition = false;  // the answer speaks of If-None-Match

  // Before this is over another attempt is in vain.
  std::optional<std::chrono::seconds> retry_after;

  // Words of our own about `transport`, see hint().
  std::string advice;

  // One line: "S3 answered 403 AccessDenied: Access Denied (request id ABC)", or
  // "no answer from host:port: Connection refused".
  std::string text() const;

  // What to do, as sentences; nothing where we know of nothing.
  std::optional<std::string> hint() const;

  // Whether an object of this name is there already, as If-None-Match asked.
  bool exists() const;

  // Whether the store takes no If-None-Match.
  bool refuses_condition() const;

  // Whether both have the same cause, as far as one can tell.
  bool same_reason(const Failure& other) const;
};

// Reads what an answer says of the failure, see error_body.hpp. The header's request id is used
// where the body has none.
Failure parse_failure(const Answer& answer);

// No answer came. `heals` = false for failures that come again however often one tries.
Failure transport_failure(std::string_view host, std::string_view words, bool heals);

// No request was made, as there is nothing to sign it with.
Failure credentials_failure(std::string_view words, std::string_view advice);

// Text from outside made fit for messages and tables: control characters removed, bytes that are
// not UTF-8 replaced by '?', cut after at most 512 bytes without cutting a character.
std::string clean_text(std::string_view text);

}  // namespace hydra::s3
