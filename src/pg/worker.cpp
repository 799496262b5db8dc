#include "pg/worker.hpp"

#include "pg/compat.hpp"
#include "pg/guc.hpp"
#include "pg/interrupts.hpp"

namespace hydra::pg {
namespace {

// Set in the postmaster, and inherited by every process.
bool preloaded = false;

void describe(BackgroundWorker* worker, const char* name, const char* type, const char* function) {
  std::memset(worker, 0, sizeof(*worker));
  worker->bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
  worker->bgw_start_time = BgWorkerStart_RecoveryFinished;
  std::strncpy(worker->bgw_name, name, BGW_MAXLEN - 1);
  std::strncpy(worker->bgw_type, type, BGW_MAXLEN - 1);
  strlcpy(worker->bgw_library_name, "hydra_export", sizeof(worker->bgw_library_name));
  strlcpy(worker->bgw_function_name, function, sizeof(worker->bgw_function_name));
}

// A new worker ignores SIGHUP at first, so a reload between its fork and this moment would be
// missed: the configuration is read once more at the next check for interrupts.
void watch_configuration() {
  pqsignal(SIGHUP, SignalHandlerForConfigReload);
  reload_here();
  ConfigReloadPending = true;
}

void set(const char* name, const char* value) {
  call([=]() noexcept { SetConfigOption(name, value, PGC_SUSET, PGC_S_OVERRIDE); });
}

// The content of lines must not depend on settings of a database or role, and a timeout meant for
// sessions must not end an export.
void settle_session() {
  // The settings of a database may name a role, or disable triggers.
  set("role", "none");
  set("session_replication_role", "origin");
  set("search_path", "pg_catalog, pg_temp");
  set("TimeZone", "UTC");
  set("DateStyle", "ISO, YMD");
  set("IntervalStyle", "iso_8601");
  set("extra_float_digits", "1");
  set("bytea_output", "hex");
  set("lc_monetary", "C");
  set("xmloption", "content");
  set("row_security", "off");
  // Affects the text of some values (regclass).
  set("quote_all_identifiers", "off");
  set("standard_conforming_strings", "on");
  // Planning a query of one table must not evaluate its constraints.
  set("constraint_exclusion", "partition");
  set("statement_timeout", "0");
  set("idle_in_transaction_session_timeout", "0");
  for (const char* name : compat::more_timeouts)
    set(name, "0");
  set("jit", "off");
  // In a deadlock between a worker and a user's session (DROP EXTENSION, for example), the worker
  // should detect it first, and be the one that fails.
  set("deadlock_timeout", "100ms");
  set("default_transaction_read_only", "off");
  set("default_transaction_deferrable", "off");
  set("lock_timeout", std::to_string(guc::lock_timeout).c_str());
}

}  // namespace

std::int64_t now() {
  return GetCurrentTimestamp() + (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;
}

bool is_preloaded() {
  return preloaded;
}

void register_launcher() {
  preloaded = true;
  // pg_upgrade must be the only user of its servers and of the databases that it creates.
  if (IsBinaryUpgrade) return;
  BackgroundWorker worker;
  describe(&worker, "hydra_export launcher", "hydra_export launcher", "hydra_export_launcher_main");
  worker.bgw_restart_time = 5;
  RegisterBackgroundWorker(&worker);
}

BackgroundWorkerHandle* start_worker(const WorkerRequest& request) {
  BackgroundWorker worker;
  describe(&worker, "hydra_export worker", "hydra_export worker", "hydra_export_worker_main");
  worker.bgw_restart_time = BGW_NEVER_RESTART;
  worker.bgw_notify_pid = MyProcPid;
  std::memcpy(worker.bgw_extra, &request, sizeof(request));
  return call([&]() noexcept -> BackgroundWorkerHandle* {
    BackgroundWorkerHandle* handle = nullptr;
    return RegisterDynamicBackgroundWorker(&worker, &handle) ? handle : nullptr;
  });
}

void connect_launcher() {
  pqsignal(SIGTERM, die);
  watch_configuration();
  BackgroundWorkerUnblockSignals();
  call([]() noexcept { BackgroundWorkerInitializeConnection(nullptr, nullptr, 0); });
}

void connect_worker(Oid database) {
  handle_worker_signals();
  watch_configuration();
  BackgroundWorkerUnblockSignals();
  call([=]() noexcept { BackgroundWorkerInitializeConnectionByOid(database, InvalidOid, 0); });
  settle_session();
}

}  // namespace hydra::pg
