// Keeps secrets in a statement's text out of the server's log.
//
// There are two methods, because each has gaps. The text in memory is overwritten as soon as the
// call is planned, for whatever reads it afterwards (pg_stat_statements, pg_stat_activity, log
// lines). And every message to the server's log is filtered, for messages before the call is
// planned (log_statement, an error in another part of the statement) and for those that quote other
// texts (CONTEXT, QUERY, the parameters, a plan).
#pragma once

#include <string>
#include <vector>

namespace hydra::pg {

// Installs the filter: messages to the server's log that quote a statement which seems to pass keys
// to configure() are cut at the first literal. For _PG_init.
void guard_log();

// What the text of the running statement contained before it was overwritten.
struct StatementText {
  bool literal = false;  // one of the secrets, as a literal
  bool guarded = false;  // a text that guard_log() filters
};

// Overwrites the text of the running statement.
StatementText blank_statement(const std::vector<std::string>& secrets);

// The planner sees a call before it runs, in the same transaction. Its finding is reported once.
void note_planned(const StatementText& text);
StatementText take_planned();

// The setting by which the values of the running statement's parameters may have been logged before
// it began; nullptr if there is none.
const char* setting_that_logs_parameters();

}  // namespace hydra::pg
