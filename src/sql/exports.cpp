// export_now(), cancel_export(), preview(), and the rows of the view progress.
#include <csignal>

#include "base/clock.hpp"
#include "catalog/destination.hpp"
#include "export/preview.hpp"
#include "export/progress.hpp"
#include "pg/guc.hpp"
#include "pg/lock.hpp"
#include "pg/spi.hpp"
#include "pg/transaction.hpp"
#include "pg/worker.hpp"
#include "schedule/channel.hpp"
#include "sql/arguments.hpp"
#include "sql/schedule.hpp"

namespace hydra::sql {
namespace {

using pg::Error;
using schedule::Caller;
using schedule::Message;

// Cancels the export when the caller stops waiting before it is done (a cancel of its own, say).
class Waiting {
 public:
  explicit Waiting(BackgroundWorkerHandle* worker) : worker_(worker) {}
  ~Waiting() {
    if (worker_ == nullptr) return;
    pid_t pid = 0;
    if (GetBackgroundWorkerPid(worker_, &pid) == BGWH_STARTED) {
      kill(pid, SIGINT);
    } else {
      TerminateBackgroundWorker(worker_);
    }
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  void done() { worker_ = nullptr; }

 private:
  BackgroundWorkerHandle* worker_;
};

void check_destination(const std::string& destination) {
  pg::AsOwner owner;
  catalog::get_destination(destination);
  const bool any = pg::to_bool(
      pg::query("SELECT EXISTS (SELECT FROM hydra_export.models WHERE destination = $1)",
                {destination})[0][0]);
  if (!any) {
    throw Error(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                "destination \"" + destination + "\" has no models", "",
                "Choose tables with hydra_export.add_model().");
  }
  if (is_changed_here()) {
    // Also another destination's: the worker would wait for locks that this transaction holds.
    throw Error(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                "settings or models were changed in this transaction",
                "An export runs in a worker of its own, which sees committed settings only.",
                "COMMIT first.");
  }
  const std::string problem = catalog::origin_problem(catalog::load_state(destination));
  if (!problem.empty()) {
    throw Error(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                "destination \"" + destination + "\" was " + problem,
                "Its exports would go where those of the original go.",
                "Change bucket or prefix with hydra_export.configure(), then run "
                "hydra_export.resume().");
  }
}

Error to_refusal(const std::string& text) {
  const std::size_t first = text.find('\x1f');
  const std::size_t second = text.find('\x1f', first + 1);
  return Error(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, text.substr(0, first),
               text.substr(first + 1, second - first - 1), text.substr(second + 1));
}

BackgroundWorkerHandle* start(const Caller& caller) {
  BackgroundWorkerHandle* worker = pg::start_worker({MyDatabaseId, caller.handle()});
  if (worker != nullptr) return worker;
  throw Error(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, "could not start a worker for the export",
              "All background worker slots of the server are in use.",
              "Try again later, or raise max_worker_processes.");
}

std::int64_t export_now(const std::string& destination, bool wait) {
  if (RecoveryInProgress()) {
    throw Error(ERRCODE_READ_ONLY_SQL_TRANSACTION, "cannot export from a standby", "",
                "Exports run on the primary.");
  }
  check_destination(destination);
  Caller caller(destination);
  BackgroundWorkerHandle* worker = start(caller);
  Waiting waiting(worker);
  std::int64_t id = 0;
  for (Message message; caller.receive(worker, &message);) {
    switch (message.kind) {
      case Message::claimed:
        id = std::stoll(message.text);
        if (wait) break;
        waiting.done();
        return id;
      case Message::progress:
        pg::notice(message.text);
        break;
      case Message::succeeded:
        waiting.done();
        return id;
      case Message::partial:
        waiting.done();
        pg::report(WARNING, Error(ERRCODE_WARNING,
                                  "export " + std::to_string(id) + " is partial: " + message.text));
        return id;
      case Message::failed:
        waiting.done();
        throw Error(ERRCODE_FDW_ERROR, "export " + std::to_string(id) + " " + message.text);
      case Message::refused:
        waiting.done();
        throw to_refusal(message.text);
    }
  }
  throw Error(ERRCODE_FDW_ERROR, "the export's worker ended before the export did", "",
              "The server's log says why.");
}

// The process that holds the destination's lock is the one that exports it.
bool cancel_export(std::int64_t id) {
  pg::AsOwner owner;
  const pg::Rows rows = pg::query(
      "SELECT destination FROM hydra_export.exports WHERE id = $1::bigint AND status = 'running'",
      {pg::text(id)});
  if (rows.empty()) return false;
  const int pid = pg::DestinationLock(pg::or_empty(rows[0][0])).holder();
  return pid != 0 && kill(pid, SIGINT) == 0;
}

void preview(const Arguments& arguments, FunctionCallInfo call) {
  const std::string destination = arguments.required_text(0, "destination");
  ResultRows result(call);
  pg::AsOwner owner;
  catalog::get_destination(destination);
  for (const catalog::Model& model :
       catalog::load_models(destination, pg::guc::debug_seconds_per_hour)) {
    const exporting::ModelPreview row = exporting::preview_model(model);
    result.put({row.model, pg::text_or_null(row.kind), pg::text(row.blocks_total),
                pg::text(row.blocks_to_read), row.rows ? pg::text(*row.rows) : std::nullopt,
                row.bytes ? pg::text(*row.bytes) : std::nullopt, pg::text_or_null(row.reason)});
  }
}

void progress_rows(FunctionCallInfo call) {
  ResultRows result(call);
  for (const exporting::Progress& row : exporting::list_progress()) {
    result.put({pg::text(row.export_id), pg::text_or_null(row.model), row.phase,
                pg::text(row.blocks_total), pg::text(row.blocks_scanned),
                pg::text(row.blocks_skipped), pg::text(row.rows), pg::text(row.bytes_written),
                pg::text(row.bytes_uploaded), pg::text(row.objects), iso8601(row.started_at),
                pg::text(row.pid)});
  }
}

}  // namespace
}  // namespace hydra::sql

extern "C" {

PG_FUNCTION_INFO_V1(hydra_export_export_now);
PG_FUNCTION_INFO_V1(hydra_export_cancel_export);
PG_FUNCTION_INFO_V1(hydra_export_progress_rows);
PG_FUNCTION_INFO_V1(hydra_export_preview);

Datum hydra_export_export_now(PG_FUNCTION_ARGS) {
  return hydra::pg::entry([&]() {
    const hydra::sql::Arguments arguments(fcinfo);
    return Int64GetDatum(hydra::sql::export_now(arguments.required_text(0, "destination"),
                                                arguments.boolean(1).value_or(true)));
  });
}

Datum hydra_export_cancel_export(PG_FUNCTION_ARGS) {
  if (PG_ARGISNULL(0)) PG_RETURN_NULL();
  return hydra::pg::entry(
      [&]() { return BoolGetDatum(hydra::sql::cancel_export(PG_GETARG_INT64(0))); });
}

Datum hydra_export_preview(PG_FUNCTION_ARGS) {
  hydra::pg::entry([&]() { hydra::sql::preview(hydra::sql::Arguments(fcinfo), fcinfo); });
  return Datum(0);
}

Datum hydra_export_progress_rows(PG_FUNCTION_ARGS) {
  hydra::pg::entry([&]() { hydra::sql::progress_rows(fcinfo); });
  return Datum(0);
}

}  // extern "C"
