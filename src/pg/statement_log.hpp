// Keeps what the running statement holds out of the server's log.
//
// A statement's text is logged from memory when it has ended, failed, waited or was ended: by the
// server itself (STATEMENT and CONTEXT lines, log_min_duration_statement, log_lock_waits,
// log_statement_stats) and by modules (auto_explain, pg_stat_statements, pgaudit). So it is
// overwritten there, for the rest of the statement. What was logged before is out of reach:
// log_statement, debug_print_parse and log_parser_stats come before planning, which is the earliest
// that a function hears of.
#pragma once

#include <string>
#include <vector>

namespace hydra::pg {

// No CONTEXT line is made while the scope lasts: it would quote the statements around. An error
// that leaves the scope has what is below it in the stack again.
class WithoutContext {
 public:
  WithoutContext();
  ~WithoutContext();
  WithoutContext(const WithoutContext&) = delete;
  WithoutContext& operator=(const WithoutContext&) = delete;

 private:
  void* stack_;
};

// Overwrites the text of the running statement; of statements that SPI runs on its behalf, as in a
// DO block, those that hold one of the secrets. Whether one was in any of these texts. In processes
// that serve no client, whose text may be a constant, another text takes its place instead.
bool blank_statement(const std::vector<std::string>& secrets);

// The values of the statement's parameters are not logged until the transaction ends.
void hide_parameters();

// What is known when a statement is planned, for when it runs: since then the transaction is the
// same.
struct Planned {
  bool literal = false;  // a secret is part of the statement's text
  bool hidden = false;   // hide_parameters() was called
};
void note_planned(const Planned& planned);
Planned take_planned();

// The setting that may have logged the values of the running statement's parameters before it
// began; nullptr where there is none.
const char* setting_that_logged_parameters();

}  // namespace hydra::pg
