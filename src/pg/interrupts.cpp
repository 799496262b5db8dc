#include "pg/interrupts.hpp"

#include <csignal>
#include <ctime>

#include "pg/compat.hpp"
#include "pg/give_way.hpp"
#include "pg/untrusted_code.hpp"

namespace hydra::pg {
namespace {

// The time that user code may run after a cancel, in nanoseconds.
constexpr long grace = 500000000;

volatile std::sig_atomic_t terminate_pending = false;
volatile std::sig_atomic_t cancel_pending = false;
volatile std::sig_atomic_t cancel_deferred = false;

bool reloads = false;

// Sends SIGUSR2. Unlike the server's timeouts, it can be set in a signal handler.
timer_t grace_timer;

void handle_terminate(SIGNAL_ARGS) {
  terminate_pending = true;
  die(HYDRA_SIGNAL);
}

void note_cancel() {
  if (!cancel_pending) {
    const itimerspec once = {{0, 0}, {0, grace}};
    (void)timer_settime(grace_timer, 0, &once, nullptr);
  }
  cancel_pending = true;
}

// lock_timeout and statement_timeout end a wait by the same signal, which the process sends itself.
bool is_timeout() {
  return get_timeout_indicator(LOCK_TIMEOUT, false) ||
         get_timeout_indicator(STATEMENT_TIMEOUT, false);
}

void handle_cancel(HYDRA_UNUSED_SIGNAL) {
  const int saved = errno;
  const bool timeout = is_timeout();
  if (!timeout) note_cancel();
  if (timeout || !cancel_deferred) {
    raise_cancel();
  } else {
    SetLatch(MyLatch);
  }
  errno = saved;
}

void handle_grace_end(SIGNAL_ARGS) {
  const int saved = errno;
  if (cancel_pending && UntrustedCode::is_running()) die(HYDRA_SIGNAL);
  errno = saved;
}

// The error lets the extension record the end. The server's own handling is left to a further
// signal.
[[noreturn]] void throw_termination() {
  ProcDiePending = false;
  throw Error(ERRCODE_ADMIN_SHUTDOWN, "terminating the worker due to administrator command");
}

}  // namespace

void raise_cancel() {
  if (proc_exit_inprogress) return;
  InterruptPending = true;
  QueryCancelPending = true;
  SetLatch(MyLatch);
}

void forget_raised_cancel() {
  if (!cancel_pending) QueryCancelPending = false;
}

void handle_worker_signals() {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGUSR2;
  if (timer_create(CLOCK_MONOTONIC, &event, &grace_timer) != 0) {
    throw Error(ERRCODE_SYSTEM_ERROR, "could not create a timer");
  }
  pqsignal(SIGTERM, handle_terminate);
  pqsignal(SIGINT, handle_cancel);
  pqsignal(SIGUSR2, handle_grace_end);
}

bool check_interrupts() {
  if (terminate_pending) throw_termination();
  call([]() noexcept { CHECK_FOR_INTERRUPTS(); });
  if (cancel_pending && !cancel_deferred) {
    throw Error(ERRCODE_QUERY_CANCELED, "canceling the export due to user request");
  }
  throw_if_awaited();
  // In parallel mode settings cannot change; the reload is done at the next check after it.
  if (!reloads || !ConfigReloadPending || IsInParallelMode()) return false;
  ConfigReloadPending = false;
  call([]() noexcept { ProcessConfigFile(PGC_SIGHUP); });
  return true;
}

void reload_here() {
  reloads = true;
}

bool termination_requested() {
  return terminate_pending;
}

bool is_cancel(const Error& error) {
  return terminate_pending || (error.sqlstate() == ERRCODE_QUERY_CANCELED && cancel_pending);
}

void forget_cancel() {
  cancel_pending = false;
  QueryCancelPending = false;
}

DeferCancel::DeferCancel() : earlier_(cancel_pending) {
  cancel_deferred = true;
}

void DeferCancel::end() {
  if (!cancel_deferred) return;
  cancel_deferred = false;
  if (cancel_pending && !earlier_) raise_cancel();
}

}  // namespace hydra::pg
