#include "pg/statement_log.hpp"

#include "pg/error.hpp"

namespace hydra::pg {
namespace {

char shown[] = "SELECT hydra_export.configure(...)";
constexpr std::size_t shown_length = sizeof(shown) - 1;

// Keys are longer than this, and a shorter word could occur in unrelated texts.
constexpr std::size_t shortest_secret = 8;

// ---- messages

emit_log_hook_type next_hook = nullptr;

bool gives_keys(const char* text) {
  return text != nullptr && strcasestr(text, "configur") != nullptr &&
         (strcasestr(text, "hydra_export") != nullptr ||
          strcasestr(text, "secret_key") != nullptr ||
          strcasestr(text, "session_token") != nullptr);
}

bool is_blank(const char* text) {
  return text != nullptr && (*text == '*' || std::strncmp(text, shown, shown_length) == 0);
}

// Cuts at the first literal; a constant of a printed plan is one, too. Works in place, because the
// text does not get longer.
void cut(char* text) {
  if (text == nullptr) return;
  const char* quote = std::strpbrk(text, "'$");
  const char* constant = std::strstr(text, ":constvalue");
  if (quote == nullptr || (constant != nullptr && constant < quote)) quote = constant;
  if (quote == nullptr) return;
  char* end = text + (quote - text);
  const std::size_t dots = std::min<std::size_t>(std::strlen(end), 3);
  std::memcpy(end, "...", dots);
  end[dots] = '\0';
}

// The client gets the same message, so its own words stay, except quotes of a statement.
void guard_message(ErrorData* message) {
  // Our own messages hide their statement already, and may name configure() in the log of an
  // export.
  if (!message->output_to_server || (message->hide_stmt && message->hide_ctx)) return;
  if (message->message != nullptr && std::strncmp(message->message, "hydra_export: ", 14) == 0)
    return;
  const bool is_log = message->elevel <= LOG_SERVER_ONLY;
  char* const texts[] = {message->detail, message->detail_log, message->context,
                         message->internalquery, is_log ? message->message : nullptr};
  const bool blank = is_blank(debug_query_string);
  if (!blank && !gives_keys(debug_query_string) &&
      std::none_of(std::begin(texts), std::end(texts), gives_keys))
    return;
  std::for_each(std::begin(texts), std::end(texts), cut);
  // A statement may refer to another: EXECUTE has the values, and PREPARE the text.
  if (!blank) message->hide_stmt = true;
}

void on_message(ErrorData* message) {
  guard_message(message);
  if (next_hook != nullptr) next_hook(message);
}

// ---- the text

// As it is, and as it is written in a literal.
bool holds(std::string_view text, const std::string& secret) {
  if (secret.size() < shortest_secret) return false;
  if (text.find(secret) != std::string_view::npos) return true;
  std::string quoted, escaped;
  for (const char c : secret) {
    quoted += c == '\'' ? std::string(2, c) : std::string(1, c);
    escaped += c == '\'' || c == '\\' ? std::string(2, c) : std::string(1, c);
  }
  return text.find(quoted) != std::string_view::npos ||
         text.find(escaped) != std::string_view::npos;
}

bool has_several_statements(const char* text) {
  const char* end = std::strchr(text, ';');
  return end != nullptr && end[1 + std::strspn(end + 1, " \t\r\n;")] != '\0';
}

// In place and with the same length, because other code has pointers to the text, and offsets into
// it. If another statement follows, pg_stat_statements looks for constants after the first
// character that is not a space: there it finds a comment.
void overwrite(char* text) {
  const std::size_t length = std::strlen(text);
  const char filler = length < shown_length ? '*' : has_several_statements(text) ? '-' : ' ';
  std::memset(text, filler, length);
  if (length >= shown_length) std::memcpy(text, shown, shown_length);
}

// A client's statement is in a buffer, or was copied from one. In other processes it may be a
// constant; there another text replaces it.
bool is_writable() {
  return MyBackendType == B_BACKEND || !IsUnderPostmaster;
}

void blank(const char*& text, const std::vector<std::string>& secrets, StatementText* found) {
  if (text == nullptr || is_blank(text)) return;
  const std::string_view view = text;
  found->literal = found->literal || std::any_of(secrets.begin(), secrets.end(),
                                                 [=](const auto& s) { return holds(view, s); });
  found->guarded = found->guarded || gives_keys(text);
  if (is_writable())
    overwrite(const_cast<char*>(text));
  else
    text = shown;
}

StatementText planned;
TimestampTz planned_in = 0;  // the start of a transaction

}  // namespace

void guard_log() {
  next_hook = emit_log_hook;
  emit_log_hook = on_message;
}

StatementText blank_statement(const std::vector<std::string>& secrets) {
  StatementText found;
  if (ActivePortal != nullptr) blank(ActivePortal->sourceText, secrets, &found);
  blank(debug_query_string, secrets, &found);
  // pg_stat_activity shows a session's statement, even after its end.
  call([]() noexcept { pgstat_report_activity(STATE_RUNNING, shown); });
  return found;
}

void note_planned(const StatementText& text) {
  planned = text;
  planned_in = GetCurrentTransactionStartTimestamp();
}

StatementText take_planned() {
  const bool same = planned_in == GetCurrentTransactionStartTimestamp();
  planned_in = 0;
  return same ? planned : StatementText{};
}

const char* setting_that_logs_parameters() {
  if (ActivePortal == nullptr || ActivePortal->portalParams == nullptr) return nullptr;
  if (log_parameter_max_length == 0) return nullptr;
  if (log_statement == LOGSTMT_ALL) return "log_statement";
  // For slow and fast statements alike: the message that contains the parameters has its own
  // duration.
  if (log_min_duration_statement >= 0) return "log_min_duration_statement";
  if (log_min_duration_sample >= 0 && log_statement_sample_rate > 0)
    return "log_min_duration_sample";
  if (log_xact_sample_rate > 0) return "log_transaction_sample_rate";
  return nullptr;
}

}  // namespace hydra::pg
