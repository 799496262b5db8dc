#include "pg/statement_log.hpp"

#include "pg/postgres.hpp"

namespace hydra::pg {
namespace {

// configure() is called by a SELECT, which only `all` logs: ddl and mod do not.
const char* setting_that_logs_selects() {
  if (log_statement == LOGSTMT_ALL) return "log_statement";
  if (log_min_duration_statement >= 0) return "log_min_duration_statement";
  if (log_min_duration_sample >= 0 && log_statement_sample_rate > 0)
    return "log_min_duration_sample";
  if (log_xact_sample_rate > 0) return "log_transaction_sample_rate";
  return nullptr;
}

}  // namespace

std::optional<std::string> setting_that_logs(const std::string& secret) {
  const char* setting = setting_that_logs_selects();
  const bool literal = debug_query_string != nullptr && !secret.empty() &&
                       std::strstr(debug_query_string, secret.c_str()) != nullptr;
  if (setting == nullptr || (!literal && log_parameter_max_length == 0)) return std::nullopt;
  return setting;
}

}  // namespace hydra::pg
