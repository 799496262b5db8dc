// The body of an error response, from any server: S3's XML, JSON of other stores and of gateways,
// HTML of proxies, a line of text.
#pragma once

#include <string>
#include <string_view>

namespace hydra::s3 {

// The contents of a body. All strings are clean (see clean_text()) and contain no signature or
// token that the body repeats from the request.
struct ErrorBody {
  enum class Kind { none, xml, json, html, text };
  Kind kind = Kind::none;  // none: empty, or not readable
  std::string code;        // "AccessDenied"
  std::string message;     // the store's message; for HTML its title, heading or text
  std::string request_id, region, endpoint;
  bool names_condition = false;  // If-None-Match occurs in it

  // Whether it has the form of an S3 error.
  bool is_s3_error() const { return kind == Kind::xml && !code.empty(); }
};

// The body may be anything: truncated, nested, in another character set, empty.
ErrorBody read_error_body(std::string_view body);

}  // namespace hydra::s3
