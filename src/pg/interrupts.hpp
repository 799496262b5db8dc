// Cancels, terminations and reloads: what other processes ask of this one, and when it is done.
//
// SIGTERM ends a worker wherever it is, as it ends any backend: in code of somebody else and in
// waits of the server by a FATAL. Where we wait ourselves (check_interrupts()) it ends by an error
// instead, so that an export can still write down how it ended. What a FATAL left unsaid, the next
// visit says.
#pragma once

#include "pg/error.hpp"

namespace hydra::pg {

// Signal handlers of a database worker. Scan workers and backends have the server's own.
void handle_worker_signals();

// Handles what other processes asked of this one: cancel, termination, and in our own workers a
// reloaded configuration (then true). Throws pg::Error for a cancel, also for one that somebody
// else's code has caught, and for a termination.
bool check_interrupts();

// Has check_interrupts() reload the configuration in this process.
void reload_here();

// Whether this process was asked to end (pg_terminate_backend, shutdown of the server).
bool termination_requested();

// Whether an error is the answer to a cancel or termination of this process.
bool is_cancel(const Error& error);

// The cancel was for work that has ended.
void forget_cancel();

// Cancels whatever runs, for a reason of our own; for signal handlers, too. And takes that back,
// where nobody else has cancelled.
void raise_cancel();
void forget_raised_cancel();

// A cancel that comes in this scope waits for its end.
class DeferCancel {
 public:
  DeferCancel();
  ~DeferCancel() { end(); }
  DeferCancel(const DeferCancel&) = delete;
  DeferCancel& operator=(const DeferCancel&) = delete;

  void end();

 private:
  const bool earlier_;  // one had come before
};

}  // namespace hydra::pg
