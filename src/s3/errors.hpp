// Failures of requests, as messages for users.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "s3/error_table.hpp"

namespace hydra::s3 {

// A store's response to a request, unparsed.
struct Answer {
  int status = 0;
  std::string body;                  // the part of it that was kept
  std::string request_id;            // x-amz-request-id
  std::string region;                // x-amz-bucket-region
  std::string location;              // Location
  std::string checksum;              // x-amz-checksum-sha256
  std::string etag;                  // without its quotes
  bool etag_is_opaque = false;       // headers say that it is not an MD5, as with KMS keys
  std::optional<std::int64_t> date;  // Date, in Unix seconds
  std::optional<std::chrono::seconds> retry_after;  // Retry-After, from now
};

// One failed attempt: an error response (http_status is not 0) or no response (it is 0, and
// `transport` says why). All strings are valid UTF-8 without control characters, at most 512 bytes
// long, and contain neither credentials nor signatures.
struct Failure {
  int http_status = 0;
  std::string code;        // "AccessDenied"
  std::string message;     // the store's message, or our own if there is none
  std::string request_id;  // for the store's support
  std::string transport;   // why there was no response, or why no request was made
  // "host" or "host:port" if there was no response; '' = no request was made
  std::string host;
  std::string stranger;  // the responding host, if its response is not one of an S3 store
  Action action = Action::stop;

  // For Action::fix: what to correct, and the values from the response.
  Fix fix = Fix::none;
  std::string region;    // the bucket's own, a valid name; '' = not given
  std::string location;  // the URL, or host, of the bucket's own endpoint; '' = not given
  std::optional<std::int64_t> date;  // the store's time, in Unix seconds

  bool perhaps_stored = false;   // the object may have been stored nevertheless
  bool damaged = false;          // an object was stored, but with other content
  bool names_condition = false;  // the response mentions If-None-Match

  // The store asks for no other attempt before this time.
  std::optional<std::chrono::seconds> retry_after;

  // Our own text about `transport`, see hint().
  std::string advice;

  // One line: "S3 answered 403 AccessDenied: Access Denied (request id ABC)", or
  // "no answer from host:port: Connection refused".
  std::string text() const;

  // What to do, in full sentences; nothing if unknown.
  std::optional<std::string> hint() const;

  // Whether an object of this name exists, which If-None-Match excludes.
  bool exists() const;

  // Whether the store does not support If-None-Match.
  bool refuses_condition() const;

  // Whether both seem to have the same cause.
  bool same_reason(const Failure& other) const;
};

// Reads the failure from a response, see error_body.hpp. The request id of the headers is used if
// the body has none.
Failure parse_failure(const Answer& answer);

// There was no response. `heals` = false for failures that a retry cannot resolve.
Failure transport_failure(std::string_view host, std::string_view words, bool heals);

// No request was made, because there are no keys to sign it with.
Failure credentials_failure(std::string_view words, std::string_view advice);

// Makes text from outside fit for messages and tables: control characters are removed, bytes that
// are not UTF-8 replaced by '?', and the text cut to at most 512 bytes without cutting a character.
std::string clean_text(std::string_view text);

}  // namespace hydra::s3
