#include "s3/error_body.hpp"

#include <jansson.h>

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <optional>

#include "base/ascii.hpp"
#include "base/utf8.hpp"
#include "s3/errors.hpp"
#include "s3/xml.hpp"

namespace hydra::s3 {

namespace {

using Kind = ErrorBody::Kind;

// The beginning of a page or a text is enough; the rest would add nothing.
constexpr std::size_t longest_words = 200;
constexpr std::string_view blanks = " \t\r\n\f\v";

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
  return text.substr(0, text.find_last_not_of(blanks) + 1);
}

// Runs of blanks become one space.
std::string in_one_line(std::string_view text) {
  std::string line;
  for (const char c : trimmed(text)) {
    const bool blank = blanks.find(c) != std::string_view::npos;
    if (!blank)
      line += c;
    else if (!line.ends_with(' '))
      line += ' ';
  }
  return line;
}

std::size_t find_in_any_case(std::string_view text, std::string_view word) {
  for (std::size_t at = 0; at + word.size() <= text.size(); ++at) {
    if (same_name(text.substr(at, word.size()), word)) return at;
  }
  return std::string_view::npos;
}

// Some gateways repeat the refused request, with its signature and token.
std::string without_secrets(std::string text) {
  for (std::string_view mark : {"authorization:", "authorization=", "aws4-hmac",
                                "credential=", "signature=", "security-token", "bearer "}) {
    const std::size_t at = find_in_any_case(text, mark);
    if (at != std::string::npos) text = text.substr(0, at) + "...";
  }
  return text;
}

std::string words(std::string_view text) {
  return clean_text(without_secrets(in_one_line(text)));
}

std::string few_words(std::string_view text) {
  const std::string all = words(text);
  if (all.size() <= longest_words) return all;
  std::size_t end = longest_words;
  while (end > 0 && (static_cast<unsigned char>(all[end]) & 0xc0) == 0x80)
    --end;
  return all.substr(0, end) + "...";
}

// ---- XML and HTML

// The name of the document's first element.
std::string_view root_of(std::string_view document) {
  MarkupReader reader(document);
  while (const auto piece = reader.next()) {
    if (piece->kind == MarkupPiece::open || piece->kind == MarkupPiece::empty) return piece->value;
  }
  return {};
}

bool is_html_name(std::string_view name) {
  for (std::string_view known : {"html", "head", "title", "body", "h1", "h2", "center", "p", "div"})
    if (same_name(name, known)) return true;
  return false;
}

ErrorBody read_html(std::string_view page) {
  ErrorBody body;
  body.kind = Kind::html;
  for (const char* part : {"title", "h1", "h2"}) {
    body.message = few_words(xml_element(page, part));
    if (!body.message.empty()) return body;
  }
  body.message = few_words(text_of_markup(page));
  return body;
}

ErrorBody read_xml(std::string_view document) {
  ErrorBody body;
  body.kind = Kind::xml;
  body.code = words(xml_element(document, "Code"));
  body.message = words(xml_element(document, "Message"));
  body.request_id = words(xml_element(document, "RequestId"));
  body.region = words(xml_element(document, "Region"));
  body.endpoint = words(xml_element(document, "Endpoint"));
  // Other elements of an S3 error repeat the request. In other documents they are the message.
  if (body.code.empty() && body.message.empty() && !same_name(root_of(document), "Error"))
    body.message = few_words(text_of_markup(document));
  return body;
}

// ---- JSON

struct Release {
  void operator()(json_t* value) const noexcept { json_decref(value); }
};

using Names = std::initializer_list<const char*>;

// The first of these members that is a non-empty text.
std::string member(const json_t* object, Names names) {
  for (const char* name : names) {
    const char* text = json_string_value(json_object_get(object, name));
    if (text != nullptr && *text != '\0') return text;
  }
  return {};
}

// One word that begins with a letter: "NotAuthenticated", "invalid_token",
// "com.example#AccessDeniedException".
bool is_code(std::string_view text) {
  return !text.empty() && text.size() <= 64 && is_letter(text.front()) &&
         text.find_first_of(" \t\r\n") == std::string_view::npos;
}

std::string code_in(const json_t* object) {
  for (const char* name : {"code", "Code", "__type", "errorCode", "error", "reason"}) {
    std::string code = member(object, {name});
    code.erase(0, code.rfind('#') + 1);
    if (is_code(code)) return code;
  }
  return {};
}

// The object with the error: the document itself, its "error", or the first of its "errors".
const json_t* error_in(const json_t* object) {
  if (json_is_array(object)) object = json_array_get(object, 0);
  for (const char* name : {"error", "Error", "errors", "fault"}) {
    const json_t* inner = json_object_get(object, name);
    if (json_is_array(inner)) inner = json_array_get(inner, 0);
    if (json_is_object(inner)) return inner;
  }
  return object;
}

// Oracle: code and message. Supabase: statusCode, error and message. Google: both in "error".
// OAuth: error and error_description. Problem details (RFC 9457): title and detail.
std::optional<ErrorBody> read_json(std::string_view text) {
  const std::unique_ptr<json_t, Release> value(
      json_loadb(text.data(), text.size(), JSON_DECODE_ANY, nullptr));
  if (value == nullptr) return std::nullopt;
  ErrorBody body;
  body.kind = Kind::json;
  const json_t* error = error_in(value.get());
  body.code = words(code_in(error));
  const std::string said =
      member(error, {"message", "Message", "msg", "error_description", "errorMessage", "detail",
                     "details", "title", "description", "error"});
  if (said != body.code) body.message = few_words(said);
  if (body.code.empty() && body.message.empty()) body.message = few_words(text);
  for (const json_t* object : {error, static_cast<const json_t*>(value.get())}) {
    if (body.request_id.empty())
      body.request_id = words(
          member(object, {"RequestId", "requestId", "request_id", "opc-request-id", "Requestid"}));
  }
  return body;
}

// ---- text

ErrorBody read_text(std::string_view text) {
  ErrorBody body;
  std::string_view rest = text;
  for (; !rest.empty(); rest.remove_prefix(utf8_length(rest))) {
    const bool blank = blanks.find(rest.front()) != std::string_view::npos;
    if (utf8_length(rest) == 0 || (!blank && begins_with_control(rest))) return body;
  }
  body.kind = Kind::text;
  body.message = few_words(text);
  return body;
}

ErrorBody read_document(std::string_view body) {
  if (body.front() == '{' || body.front() == '[') {
    if (auto json = read_json(body)) return *std::move(json);
  }
  // Other text may precede the document, such as the size of a chunk.
  const std::size_t error = body.find("<Error");
  if (body.front() != '<' && error != std::string_view::npos) body.remove_prefix(error);
  if (body.front() != '<') return read_text(body);
  return is_html_name(root_of(body)) ? read_html(body) : read_xml(body);
}

}  // namespace

ErrorBody read_error_body(std::string_view body) {
  body = trimmed(body);
  if (body.empty()) return {};
  ErrorBody found = read_document(body);
  found.names_condition = find_in_any_case(body, "if-none-match") != std::string_view::npos;
  return found;
}

}  // namespace hydra::s3
