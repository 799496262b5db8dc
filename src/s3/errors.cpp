#include "s3/errors.hpp"

#include "base/utf8.hpp"
#include "s3/bucket_rules.hpp"
#include "s3/error_body.hpp"

namespace hydra::s3 {

namespace {

constexpr std::size_t longest_text = 512;

std::string either(std::string first, std::string_view second) {
  return first.empty() ? clean_text(second) : first;
}

// Reads what the response says about the right place, time or wait.
void read_remedies(const Answer& answer, const ErrorBody& body, Failure& failure) {
  failure.region = either(body.region, answer.region);
  if (region_problem(failure.region)) failure.region.clear();
  failure.location = either(clean_text(answer.location), body.endpoint);
  failure.date = answer.date;
  failure.retry_after = answer.retry_after;
}

// A gateway reports that it got no response from the store, or the store reports an internal error:
// it may have stored the object. (501, 503 and 507 are refusals.)
bool is_lost_answer(int status) {
  return status >= 500 && status != 501 && status != 503 && status != 507;
}

constexpr const char* speak_tls = "The port uses TLS: start endpoint with https://.";

// A TLS server reports that it received plain HTTP. Servers word this differently.
bool is_plain_to_tls(const Failure& failure) {
  if (failure.http_status != 400 || !failure.code.empty()) return false;
  const auto has = [&](const char* word) {
    return failure.message.find(word) != std::string::npos;
  };
  return has("HTTP") && (has("HTTPS") || has("SSL") || has("TLS"));
}

// For a page of another server, such as a login form.
std::string host_of(const std::string& location) {
  const auto url = parse_endpoint(location.substr(0, location.find_first_of("?#")));
  return url ? url->host : "";
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

Failure parse_failure(const Answer& answer) {
  Failure failure;
  failure.http_status = answer.status;
  const ErrorBody body = read_error_body(answer.body);
  failure.code = body.code;
  failure.message = body.message;
  failure.request_id = either(body.request_id, answer.request_id);
  failure.action = action_for(answer.status, failure.code);
  const KnownError* row = find_known_error(answer.status, failure.code);
  if (failure.message.empty() && row != nullptr) failure.message = row->words;
  if (answer.status == 302 || answer.status == 303) {
    const std::string host = host_of(answer.location);
    if (!host.empty()) failure.message += " (of " + clean_text(host) + ')';
  }
  if (failure.action == Action::fix) failure.fix = row->fix;
  failure.perhaps_stored = is_lost_answer(answer.status);
  failure.names_condition = body.names_condition;
  read_remedies(answer, body, failure);
  if (is_plain_to_tls(failure)) failure.advice = speak_tls;
  return failure;
}

Failure transport_failure(std::string_view host, std::string_view words, bool heals) {
  Failure failure;
  failure.host = clean_text(host);
  failure.transport = clean_text(words);
  failure.action = heals ? Action::retry : Action::stop;
  return failure;
}

Failure credentials_failure(std::string_view words, std::string_view advice) {
  Failure failure;
  failure.transport = clean_text(words);
  failure.advice = clean_text(advice);
  return failure;
}

std::string Failure::text() const {
  if (http_status == 0) {
    return host.empty() ? "no credentials: " + transport
                        : "no answer from " + host + ": " + transport;
  }
  std::string line = stranger.empty() ? "S3" : stranger;
  line += " answered " + std::to_string(http_status);
  if (!stranger.empty()) line += ", not as an S3 store does";
  if (!code.empty()) line += ' ' + code;
  if (!message.empty()) line += ": " + message;
  if (!request_id.empty()) line += " (request id " + request_id + ')';
  return line;
}

std::optional<std::string> Failure::hint() const {
  if (!advice.empty()) return advice;
  if (fix == Fix::place && !region.empty()) return "Set region to \"" + region + "\".";
  const KnownError* row = http_status == 0 ? nullptr : find_known_error(http_status, code);
  if (row == nullptr || row->hint.empty()) return std::nullopt;
  return std::string(row->hint);
}

// MinIO responded with 304 until 2024.
bool Failure::exists() const {
  return http_status == 412 || http_status == 304;
}

// S3 itself responded with 501 until 2024; other stores name the unsupported header.
bool Failure::refuses_condition() const {
  return http_status == 501 || (http_status >= 400 && names_condition && !exists());
}

bool Failure::same_reason(const Failure& other) const {
  return http_status == other.http_status && code == other.code;
}

}  // namespace hydra::s3
