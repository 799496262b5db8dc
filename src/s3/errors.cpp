#include "s3/errors.hpp"

#include <charconv>
#include <cstdint>
#include <utility>

#include "base/utf8.hpp"

namespace hydra::s3 {

namespace {

constexpr std::size_t longest_text = 512;

// One kind of answer. Rows with a code are found by it, rows without by their status.
struct Known {
  int status;
  std::string_view code;
  Action action;
  std::string_view words;  // said where the store gives no message
  std::string_view hint;
};

constexpr std::string_view check_keys =
    "Check access_key and secret_key, and that they are meant for this endpoint.";
constexpr std::string_view check_region = "Set region to the bucket's own region.";
constexpr std::string_view new_token = "Save a new access_key, secret_key and session_token.";
constexpr std::string_view set_clock =
    "Set this server's clock right: requests may be off by 15 minutes at the most.";

constexpr Known known[] = {
    {400, "RequestTimeout", Action::retry, "the upload was too slow", ""},
    {500, "InternalError", Action::retry, "the store met an error of its own", ""},
    {503, "SlowDown", Action::retry, "the store asks for fewer requests", ""},
    {503, "ServiceUnavailable", Action::retry, "the store is not available", ""},

    {403, "AccessDenied", Action::stop, "the key lacks s3:PutObject on this bucket and prefix",
     "Allow the key s3:PutObject on the bucket and prefix; hydra_export.iam_policy() shows a "
     "policy that does."},
    {403, "InvalidAccessKeyId", Action::stop, "the access key is unknown", check_keys},
    {403, "SignatureDoesNotMatch", Action::stop, "the secret key does not fit the access key",
     check_keys},
    {404, "NoSuchBucket", Action::stop, "the bucket does not exist",
     "Create the bucket, or correct bucket, region or endpoint."},
    {403, "AllAccessDisabled", Action::stop, "the bucket is disabled", ""},
    {403, "AccountProblem", Action::stop, "the account of the bucket has a problem", ""},
    {403, "RequestTimeTooSkewed", Action::stop, "the clocks of this server and the store differ",
     set_clock},
    {403, "RequestExpired", Action::stop, "the clocks of this server and the store differ",
     set_clock},
    {400, "ExpiredToken", Action::stop, "the session token has expired", new_token},
    {400, "TokenRefreshRequired", Action::stop, "the session token has expired", new_token},
    {400, "InvalidToken", Action::stop, "the session token is not valid", new_token},
    {301, "PermanentRedirect", Action::stop, "the bucket is in another region", check_region},
    {307, "TemporaryRedirect", Action::stop, "the bucket is in another region", check_region},
    {400, "AuthorizationHeaderMalformed", Action::stop, "the region does not fit", check_region},
    {400, "IllegalLocationConstraintException", Action::stop, "the region does not fit",
     check_region},
    {400, "InvalidBucketName", Action::stop, "the bucket's name is not valid", ""},
    {400, "EntityTooLarge", Action::stop, "the object is too large",
     "Lower hydra_export.file_size."},
    {400, "KeyTooLongError", Action::stop, "the object's key is too long",
     "Choose a shorter prefix."},
    {400, "BadDigest", Action::stop, "the contents changed on the way", ""},
    {400, "XAmzContentSHA256Mismatch", Action::stop, "the contents changed on the way", ""},
    {405, "MethodNotAllowed", Action::stop, "the endpoint does not accept uploads",
     "Check endpoint and addressing."},
    {412, "PreconditionFailed", Action::stop, "the object exists already", ""},
    {501, "NotImplemented", Action::stop, "the store does not support this request", ""},
    {507, "QuotaExceeded", Action::stop, "the store's quota is used up", ""},

    {408, "", Action::retry, "request timeout", ""},
    {429, "", Action::retry, "too many requests", ""},
    {500, "", Action::retry, "internal error", ""},
    {502, "", Action::retry, "bad gateway", ""},
    {503, "", Action::retry, "service unavailable", ""},
    {504, "", Action::retry, "gateway timeout", ""},
    {301, "", Action::stop, "the bucket is elsewhere", check_region},
    {307, "", Action::stop, "the bucket is elsewhere", check_region},
    {400, "", Action::stop, "bad request", ""},
    {401, "", Action::stop, "the credentials were not accepted", check_keys},
    {403, "", Action::stop, "access denied", ""},
    {404, "", Action::stop, "not found", "Check bucket, endpoint and addressing."},
    {405, "", Action::stop, "the endpoint does not accept uploads",
     "Check endpoint and addressing."},
    {411, "", Action::stop, "length required", ""},
    {413, "", Action::stop, "the object is too large",
     "Lower hydra_export.file_size, or raise the limit of the proxy in between."},
};

const Known* find_code(std::string_view code) {
  if (code.empty()) return nullptr;
  for (const Known& row : known) {
    if (row.code == code) return &row;
  }
  return nullptr;
}

const Known* find_status(int status) {
  for (const Known& row : known) {
    if (row.code.empty() && row.status == status) return &row;
  }
  return nullptr;
}

const Known* find(const Failure& failure) {
  const Known* row = find_code(failure.code);
  return row != nullptr ? row : find_status(failure.http_status);
}

// Either reason to try again is enough: stores and proxies do not agree on how to say it.
Action action_for(int status, std::string_view code) {
  const Known* by_code = find_code(code);
  const Known* by_status = find_status(status);
  const bool retry = (by_code != nullptr && by_code->action == Action::retry) ||
                     (by_status != nullptr && by_status->action == Action::retry);
  return retry ? Action::retry : Action::stop;
}

// The character of &#233; or &#xe9;, given what stands between '#' and ';'.
bool append_numbered(std::string& to, std::string_view digits) {
  const bool hexadecimal = digits.starts_with('x');
  if (hexadecimal) digits.remove_prefix(1);
  std::uint32_t point = 0;
  const char* stop = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), stop, point, hexadecimal ? 16 : 10);
  if (error != std::errc() || end != stop) return false;
  append_utf8(to, point);
  return true;
}

// The name between '&' and ';'. False when it is no entity.
bool append_entity(std::string& to, std::string_view name) {
  constexpr std::pair<std::string_view, char> named[] = {
      {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& [known_name, character] : named) {
    if (name != known_name) continue;
    to += character;
    return true;
  }
  return name.starts_with('#') && append_numbered(to, name.substr(1));
}

std::string decode_entities(std::string_view text) {
  constexpr std::size_t longest_entity = 10;
  std::string decoded;
  while (!text.empty()) {
    const std::size_t semicolon = text[0] == '&' ? text.find(';') : std::string_view::npos;
    if (semicolon <= longest_entity && append_entity(decoded, text.substr(1, semicolon - 1))) {
      text.remove_prefix(semicolon + 1);
      continue;
    }
    decoded += text[0];
    text.remove_prefix(1);
  }
  return decoded;
}

// The text of the first element of this name, up to the next tag whatever it is: a body that was
// cut short, or that nests elements, gives little rather than the wrong thing.
std::string element(std::string_view body, std::string_view name) {
  const std::string tag = '<' + std::string(name) + '>';
  const std::size_t start = body.find(tag);
  if (start == std::string_view::npos) return {};
  const std::string_view rest = body.substr(start + tag.size());
  return clean_text(decode_entities(rest.substr(0, rest.find('<'))));
}

}  // namespace

std::string clean_text(std::string_view text) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view character = length == 0 ? "?" : text.substr(0, length);
    if (clean.size() + character.size() > longest_text) break;
    if (!begins_with_control(character)) clean.append(character);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return clean;
}

Failure parse_failure(int status, std::string_view body, std::string_view request_id_header) {
  Failure failure;
  failure.http_status = status;
  failure.code = element(body, "Code");
  failure.message = element(body, "Message");
  failure.request_id = element(body, "RequestId");
  if (failure.request_id.empty()) failure.request_id = clean_text(request_id_header);
  failure.action = action_for(status, failure.code);
  const Known* row = find(failure);
  if (failure.message.empty() && row != nullptr) failure.message = row->words;
  return failure;
}

Failure transport_failure(std::string_view host, std::string_view words, bool heals) {
  Failure failure;
  failure.host = clean_text(host);
  failure.transport = clean_text(words);
  failure.action = heals ? Action::retry : Action::stop;
  return failure;
}

std::string Failure::text() const {
  if (http_status == 0) return "no answer from " + host + ": " + transport;
  std::string line = "S3 answered " + std::to_string(http_status);
  if (!code.empty()) line += ' ' + code;
  if (!message.empty()) line += ": " + message;
  if (!request_id.empty()) line += " (request id " + request_id + ')';
  return line;
}

std::optional<std::string> Failure::hint() const {
  const Known* row = http_status == 0 ? nullptr : find(*this);
  if (row == nullptr || row->hint.empty()) return std::nullopt;
  return std::string(row->hint);
}

}  // namespace hydra::s3
