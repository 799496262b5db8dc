// export_now(), cancel_export().
#include <csignal>

#include "pg/caller_snapshot.hpp"
#include "pg/lock.hpp"
#include "pg/spi.hpp"
#include "pg/transaction.hpp"
#include "sql/arguments.hpp"
#include "sql/schedule.hpp"
#include "sql/worker_call.hpp"
#include "tables/call_of.hpp"
#include "tables/destination.hpp"

namespace hydra::sql {
namespace {

using pg::Error;
using schedule::Message;

void check_destination(const std::string& destination) {
  pg::AsOwner owner;
  tables::get_destination(destination);
  const bool any = pg::to_bool(
      pg::query("SELECT EXISTS (SELECT FROM hydra_export.models WHERE destination = $1)",
                {destination})[0][0]);
  if (!any) {
    throw Error(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                "destination \"" + destination + "\" has no models", "",
                "Choose tables with " + tables::call_of("add_model", destination) + ".");
  }
  if (is_changed_here()) {
    // Also for another destination: the worker would wait for locks that this transaction holds.
    throw Error(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                "settings or models were changed in this transaction",
                "An export runs in a worker of its own, which sees committed settings only.",
                "COMMIT first.");
  }
  const std::string problem = tables::origin_problem(tables::load_state(destination));
  if (!problem.empty()) {
    throw Error(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                "destination \"" + destination + "\" was " + problem,
                "Its exports would go to the same place as those of the original.",
                "Change bucket or prefix with " + tables::call_of("configure", destination) +
                    ", then run " + tables::call_of("resume", destination) + ".");
  }
}

std::int64_t export_now(const std::string& destination, bool wait, Oid function) {
  {
    // The subtransaction releases its locks before the export runs.
    pg::Subtransaction subtransaction;
    check_destination(destination);
  }
  WorkerCall worker(destination, schedule::Task::run_export);
  if (wait) pg::let_go_of_caller_snapshot(function);
  std::int64_t id = 0;
  for (Message message; worker.receive(&message);) {
    switch (message.kind) {
      case Message::claimed:
        id = std::stoll(message.text);
        if (wait) break;
        worker.done();
        return id;
      case Message::progress:
        pg::notice(message.text);
        break;
      case Message::succeeded:
        worker.done();
        return id;
      case Message::partial:
        worker.done();
        pg::report(WARNING, Error(ERRCODE_WARNING,
                                  "export " + std::to_string(id) + " is partial: " + message.text));
        return id;
      case Message::failed:
        worker.done();
        throw Error(ERRCODE_FDW_ERROR, "export " + std::to_string(id) + " " + message.text);
      case Message::refused:
        worker.done();
        throw to_error(message.text);
      case Message::checked:
        break;
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

}  // namespace
}  // namespace hydra::sql

extern "C" {

PG_FUNCTION_INFO_V1(hydra_export_export_now);
PG_FUNCTION_INFO_V1(hydra_export_cancel_export);

Datum hydra_export_export_now(PG_FUNCTION_ARGS) {
  return hydra::pg::entry([&]() {
    const hydra::sql::Arguments arguments(fcinfo);
    return Int64GetDatum(hydra::sql::export_now(arguments.required_text("destination"),
                                                arguments.boolean("wait").value_or(true),
                                                fcinfo->flinfo->fn_oid));
  });
}

Datum hydra_export_cancel_export(PG_FUNCTION_ARGS) {
  if (PG_ARGISNULL(0)) PG_RETURN_NULL();
  return hydra::pg::entry(
      [&]() { return BoolGetDatum(hydra::sql::cancel_export(PG_GETARG_INT64(0))); });
}

}  // extern "C"
