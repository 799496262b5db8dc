#include "s3/errors.hpp"

#include "base/utf8.hpp"
#include "s3/endpoint.hpp"
#include "s3/xml.hpp"

namespace hydra::s3 {

namespace {

constexpr std::size_t longest_text = 512;

std::string element(const Answer& answer, std::string_view name) {
  return clean_text(xml_element(answer.body, name));
}

std::string either(std::string first, std::string_view second) {
  return first.empty() ? clean_text(second) : first;
}

// What the answer says about the right place, time or wait.
void read_remedies(const Answer& answer, Failure& failure) {
  failure.region = either(element(answer, "Region"), answer.region);
  if (region_problem(failure.region)) failure.region.clear();
  failure.location = either(clean_text(answer.location), element(answer, "Endpoint"));
  failure.date = answer.date;
  failure.retry_after = answer.retry_after;
}

// A gateway's word that it has no answer from the store, or the store's that it lost its way: it
// may have stored the object. (501, 503 and 507 are refusals.)
bool is_lost_answer(int status) {
  return status >= 500 && status != 501 && status != 503 && status != 507;
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
  failure.code = element(answer, "Code");
  failure.message = element(answer, "Message");
  failure.request_id = either(element(answer, "RequestId"), answer.request_id);
  failure.action = action_for(answer.status, failure.code);
  const KnownError* row = find_known_error(answer.status, failure.code);
  if (failure.message.empty() && row != nullptr) failure.message = row->words;
  if (failure.action == Action::fix) failure.fix = row->fix;
  failure.perhaps_stored = is_lost_answer(answer.status);
  read_remedies(answer, failure);
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
  std::string line = "S3 answered " + std::to_string(http_status);
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

bool Failure::same_reason(const Failure& other) const {
  return http_status == other.http_status && code == other.code;
}

}  // namespace hydra::s3
