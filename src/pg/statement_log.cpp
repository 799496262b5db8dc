#include "pg/statement_log.hpp"

#include "pg/error.hpp"

extern "C" {
#include "tcop/pquery.h"
}

namespace hydra::pg {
namespace {

char shown[] = "SELECT hydra_export.configure(...)";

// No key is shorter, and a shorter word would be found in texts that have nothing to do with it.
constexpr std::size_t shortest_secret = 8;

// SPI tells the text of a statement that it runs to nobody but its error callback, whose argument
// begins with a pointer to it. This is how it is found on the stack of such callbacks.
using Callback = void (*)(void*);
Callback spi_callback = nullptr;

struct SpiArgument {
  char* query;
};

void note_callback(ParseState* state, void* argument) {
  (void)state;
  (void)argument;
  spi_callback = error_context_stack != nullptr ? error_context_stack->callback : nullptr;
}

// SPI calls a parser's hook with its callback on top of the stack.
void find_spi_callback() {
  if (spi_callback != nullptr) return;
  call([]() noexcept {
    SPI_connect();
    SPIPlanPtr plan = SPI_prepare_params("SELECT", note_callback, nullptr, 0);
    if (plan != nullptr) SPI_freeplan(plan);
    SPI_finish();
  });
}

// As it is, and as a literal writes it.
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

bool holds_any(const char* text, const std::vector<std::string>& secrets) {
  return text != nullptr && std::any_of(secrets.begin(), secrets.end(),
                                        [&](const auto& secret) { return holds(text, secret); });
}

// In place and with the same length: others hold pointers to the text, and offsets into it.
void overwrite(char* text) {
  const std::size_t length = std::strlen(text);
  const std::size_t shown_length = sizeof(shown) - 1;
  std::memset(text, length < shown_length ? '*' : ' ', length);
  if (length >= shown_length) std::memcpy(text, shown, shown_length);
}

// A client's statement is in a buffer, or was copied from one.
bool serves_client() {
  return MyBackendType == B_BACKEND || !IsUnderPostmaster;
}

void blank(const char*& text) {
  if (text == nullptr) return;
  if (serves_client())
    overwrite(const_cast<char*>(text));
  else
    text = shown;
}

bool blank_nested(const std::vector<std::string>& secrets) {
  find_spi_callback();
  bool found = false;
  for (ErrorContextCallback* entry = error_context_stack; entry != nullptr;
       entry = entry->previous) {
    if (entry->callback != spi_callback || spi_callback == nullptr) continue;
    SpiArgument* argument = static_cast<SpiArgument*>(entry->arg);
    // Others' texts, which may even be constants, stay as they are.
    if (!holds_any(argument->query, secrets)) continue;
    overwrite(argument->query);
    found = true;
  }
  return found;
}

Planned noted;
TimestampTz noted_in = 0;  // the start of a transaction

}  // namespace

WithoutContext::WithoutContext() : stack_(error_context_stack) {
  error_context_stack = nullptr;
}

WithoutContext::~WithoutContext() {
  error_context_stack = static_cast<ErrorContextCallback*>(stack_);
}

bool blank_statement(const std::vector<std::string>& secrets) {
  bool found = holds_any(debug_query_string, secrets);
  if (ActivePortal != nullptr) {
    found = holds_any(ActivePortal->sourceText, secrets) || found;
    blank(ActivePortal->sourceText);
  }
  blank(debug_query_string);
  // pg_stat_activity shows a session's statement, also after its end.
  call([]() noexcept { pgstat_report_activity(STATE_RUNNING, shown); });
  return blank_nested(secrets) || found;
}

void hide_parameters() {
  // Written down when they came, for the CONTEXT of errors.
  if (ActivePortal != nullptr && ActivePortal->portalParams != nullptr)
    ActivePortal->portalParams->paramValuesStr = nullptr;
  call([]() noexcept {
    for (const char* setting :
         {"log_parameter_max_length", "auto_explain.log_parameter_max_length"}) {
      if (GetConfigOption(setting, true, false) == nullptr) continue;
      (void)set_config_option(setting, "0", PGC_SUSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, ERROR,
                              false);
    }
  });
}

void note_planned(const Planned& planned) {
  noted = planned;
  noted_in = GetCurrentTransactionStartTimestamp();
}

Planned take_planned() {
  const bool same = noted_in == GetCurrentTransactionStartTimestamp();
  noted_in = 0;
  return same ? noted : Planned{};
}

const char* setting_that_logged_parameters() {
  if (log_parameter_max_length == 0) return nullptr;
  if (ActivePortal == nullptr || ActivePortal->portalParams == nullptr) return nullptr;
  if (log_statement == LOGSTMT_ALL) return "log_statement";
  // Slow or not: the message that brings the parameters has a duration of its own.
  if (log_min_duration_statement >= 0) return "log_min_duration_statement";
  if (log_min_duration_sample >= 0 && log_statement_sample_rate > 0)
    return "log_min_duration_sample";
  if (log_xact_sample_rate > 0) return "log_transaction_sample_rate";
  return nullptr;
}

}  // namespace hydra::pg
