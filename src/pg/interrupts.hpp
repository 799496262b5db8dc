// Cancels, terminations and reloads: requests of other processes to this one, and when it handles
// them.
//
// SIGTERM ends a worker wherever it is, as it ends any backend: in user code and in waits of the
// server by a FATAL error. In the extension's own waits (check_interrupts()) it raises an error
// instead, so that an export can still record how it ended. After a FATAL error, the next visit
// records it.
#pragma once

#include "pg/error.hpp"

namespace hydra::pg {

// Installs the signal handlers of a database worker. Scan workers and backends have the server's.
void handle_worker_signals();

// Handles requests of other processes: cancel, termination, and in the extension's own workers a
// reload of the configuration (then returns true). Throws pg::Error for a termination, and for a
// cancel even if user code has caught it.
bool check_interrupts();

// Makes check_interrupts() reload the configuration in this process.
void reload_here();

// Whether this process was asked to end (pg_terminate_backend, server shutdown).
bool termination_requested();

// Whether an error was raised by a cancel or termination of this process.
bool is_cancel(const Error& error);

// Ignores a cancel, because the work that it was meant for has ended.
void forget_cancel();

// Cancels whatever runs, for a reason of the extension's own; usable in signal handlers. The second
// undoes it, unless another process has cancelled too.
void raise_cancel();
void forget_raised_cancel();

// Delays a cancel that arrives in this scope to its end.
class DeferCancel {
 public:
  DeferCancel();
  ~DeferCancel() { end(); }
  DeferCancel(const DeferCancel&) = delete;
  DeferCancel& operator=(const DeferCancel&) = delete;

  void end();

 private:
  const bool earlier_;  // a cancel had arrived before
};

}  // namespace hydra::pg
