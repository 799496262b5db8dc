// The body of a refusal, whoever wrote it: S3's XML, JSON of other stores and of gateways, the HTML
// of proxies, a line of text.
#pragma once

#include <string>
#include <string_view>

namespace hydra::s3 {

// What a body says. All strings are clean (see clean_text()) and hold no signature or token that
// the body repeats from the request.
struct ErrorBody {
  enum class Kind { none, xml, json, html, text };
  Kind kind = Kind::none;  // none: empty, or nothing that can be read
  std::string code;        // "AccessDenied"
  std::string message;     // the store's words; of HTML its title, heading or text
  std::string request_id, region, endpoint;
  bool names_condition = false;  // somewhere in it stands If-None-Match

  // Whether it is what S3 answers with when it refuses.
  bool is_s3_error() const { return kind == Kind::xml && !code.empty(); }
};

// The body may be anything: cut short, nested, another character set, empty.
ErrorBody read_error_body(std::string_view body);

}  // namespace hydra::s3
