// Keeps secrets that are part of a statement out of what is logged of it.
//
// Two ways, as each has its gaps. The text itself is overwritten as soon as we hear of the call,
// for whatever keeps it when it has ended (pg_stat_statements, pg_stat_activity, log lines). And
// every message that goes to the server's log is looked at, for what is written before we hear of
// the call (log_statement, an error in another part of the statement), or quotes other texts
// (CONTEXT, QUERY, the parameters, a plan).
#pragma once

#include <string>
#include <vector>

namespace hydra::pg {

// From now on, messages on their way to the server's log are cut where they quote a statement that
// seems to give keys to configure(): at the first literal. For _PG_init.
void guard_log();

// What the text of the running statement had before it was overwritten.
struct StatementText {
  bool literal = false;  // one of the secrets
  bool guarded = false;  // what guard_log() looks for
};

// Overwrites the text of the running statement, for the rest of it.
StatementText blank_statement(const std::vector<std::string>& secrets);

// The planner hears of a call before it runs, in the same transaction. What it found is given once.
void note_planned(const StatementText& text);
StatementText take_planned();

// The setting that may have logged the values of the running statement's parameters before it
// began; nullptr where there is none.
const char* setting_that_logs_parameters();

}  // namespace hydra::pg
