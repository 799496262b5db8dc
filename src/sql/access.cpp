// check_access().
#include "pg/spi.hpp"
#include "pg/transaction.hpp"
#include "schedule/timetable.hpp"
#include "sql/arguments.hpp"
#include "sql/schedule.hpp"
#include "sql/worker_call.hpp"
#include "tables/destination.hpp"

namespace hydra::sql {
namespace {

using pg::Error;
using schedule::Message;

// Makes a worker do the check.
schedule::CheckResult ask_worker(const std::string& destination) {
  {
    pg::AsOwner owner;
    tables::get_destination(destination);
    if (is_changed_here()) {
      throw Error(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                  "destination \"" + destination + "\" was changed in this transaction",
                  "The check runs in a worker of its own, which sees committed settings only.",
                  "COMMIT first.");
    }
  }
  // The worker checks this again; but a request that will be refused should not start a process.
  if (!schedule::has_free_place()) throw schedule::no_free_place();
  WorkerCall worker(destination, schedule::Task::check_access);
  Message message;
  while (worker.receive(&message)) {
    worker.done();
    if (message.kind == Message::refused) throw to_error(message.text);
    return unpack<schedule::CheckResult>(message.text);
  }
  throw Error(ERRCODE_FDW_ERROR, "the check's worker ended before the check did", "",
              "The server's log says why.");
}

char* to_cell(const std::string& text) {
  return text.empty() ? nullptr : const_cast<char*>(text.c_str());
}

// Makes one row of the function's result type.
Datum to_record(FunctionCallInfo fcinfo, const schedule::CheckResult& result) {
  char* values[] = {to_cell(result.key),        to_cell(result.endpoint),
                    to_cell(result.region),     to_cell(result.source),
                    to_cell(result.expires_at), to_cell(result.conditional)};
  char** cells = values;
  return pg::call([=]() noexcept {
    TupleDesc row = nullptr;
    if (get_call_result_type(fcinfo, nullptr, &row) != TYPEFUNC_COMPOSITE)
      elog(ERROR, "check_access() returns a row");
    HeapTuple tuple = BuildTupleFromCStrings(TupleDescGetAttInMetadata(row), cells);
    return HeapTupleGetDatum(tuple);
  });
}

}  // namespace
}  // namespace hydra::sql

extern "C" {

PG_FUNCTION_INFO_V1(hydra_export_check_access);

Datum hydra_export_check_access(PG_FUNCTION_ARGS) {
  return hydra::pg::entry([&]() {
    const hydra::sql::Arguments arguments(fcinfo);
    return hydra::sql::to_record(fcinfo,
                                 hydra::sql::ask_worker(arguments.required_text("destination")));
  });
}

}  // extern "C"
