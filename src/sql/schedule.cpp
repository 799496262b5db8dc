// schedule_rows(), the trigger that notifies the launcher of changes, and the one that detects
// copies.
#include "sql/schedule.hpp"

#include "base/clock.hpp"
#include "pg/spi.hpp"
#include "pg/transaction.hpp"
#include "pg/worker.hpp"
#include "schedule/due.hpp"
#include "schedule/timetable.hpp"
#include "sql/arguments.hpp"

namespace hydra::sql {
namespace {

using pg::Text;

// The nesting level of the outermost (sub)transaction that contains a change of settings or models;
// 0 if there is none.
int changed_at = 0;

void at_transaction_end(XactEvent event, void* argument) {
  (void)argument;
  if (changed_at == 0) return;
  switch (event) {
    case XACT_EVENT_COMMIT:
      schedule::touch(MyDatabaseId);
      changed_at = 0;
      break;
    case XACT_EVENT_ABORT:
      changed_at = 0;
      break;
    case XACT_EVENT_PRE_PREPARE:
      // No code runs at COMMIT PREPARED that could notify the launcher.
      ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                      errmsg("cannot PREPARE a transaction that changed hydra_export's settings or "
                             "models"),
                      errhint("Change them in a transaction of their own.")));
      break;
    default:
      break;
  }
}

void at_subtransaction_end(SubXactEvent event, SubTransactionId id, SubTransactionId parent,
                           void* argument) {
  (void)id;
  (void)parent;
  (void)argument;
  const int level = GetCurrentTransactionNestLevel();
  if (changed_at < level) return;
  if (event == SUBXACT_EVENT_COMMIT_SUB) changed_at = level - 1;
  if (event == SUBXACT_EVENT_ABORT_SUB) changed_at = 0;
}

void note_change() {
  static bool registered = false;
  if (!registered) {
    pg::call([]() noexcept {
      RegisterXactCallback(at_transaction_end, nullptr);
      RegisterSubXactCallback(at_subtransaction_end, nullptr);
    });
  }
  registered = true;
  const int level = GetCurrentTransactionNestLevel();
  changed_at = changed_at == 0 ? level : std::min(changed_at, level);
}

Text timestamp(const std::optional<schedule::Micros>& micros) {
  return micros ? Text(iso8601(*micros)) : std::nullopt;
}

// Makes one row of the view, as text.
pg::Row to_row(const schedule::Due& due) {
  const tables::Destination& destination = due.destination;
  const pg::Rows last = pg::query(
      "SELECT (extract(epoch FROM started_at) * 1000000)::bigint, status"
      " FROM hydra_export.exports WHERE destination = $1"
      " ORDER BY id DESC LIMIT 1",
      {destination.name});
  return {destination.name,
          pg::text(destination.enabled),
          pg::text(destination.frequency_hours),
          last.empty() ? Text() : timestamp(pg::to_int(last[0][0])),
          last.empty() ? Text() : last[0][1],
          timestamp(due.at),
          due.why};
}

// Whether the trigger is like the one that the extension's script creates.
bool is_state_trigger(const TriggerData* trigger) noexcept {
  const TriggerEvent event = trigger->tg_event;
  if (!TRIGGER_FIRED_BEFORE(event) || !TRIGGER_FIRED_FOR_ROW(event)) return false;
  if (!TRIGGER_FIRED_BY_INSERT(event) && !TRIGGER_FIRED_BY_UPDATE(event)) return false;
  TupleDesc columns = RelationGetDescr(trigger->tg_relation);
  const int column = SPI_fnumber(columns, "written_by");
  return column > 0 && TupleDescAttr(columns, column - 1)->atttypid == XID8OID;
}

// The row as it is to be stored. A row that came by logical replication could have been written by
// a transaction with the same id as the one that writes it here: then it would look like a row from
// this database's own files. Raw.
HeapTuple without_origin(const TriggerData* trigger) noexcept {
  if (!is_state_trigger(trigger)) {
    ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                    errmsg("state_written() is for rows of hydra_export.destination_state alone"),
                    errhint("The extension's own script makes its trigger.")));
  }
  HeapTuple row =
      TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple : trigger->tg_trigtuple;
  if (tables::is_writing_state()) return row;
  TupleDesc columns = RelationGetDescr(trigger->tg_relation);
  int column = SPI_fnumber(columns, "written_by");
  Datum nobody = FullTransactionIdGetDatum(InvalidFullTransactionId);
  bool is_null = false;
  return heap_modify_tuple_by_cols(row, columns, 1, &column, &nobody, &is_null);
}

// Refuses a call of a trigger function in another role. Raw.
[[noreturn]] void refuse_call(const char* name) noexcept {
  ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                  errmsg("%s() can only be called as a trigger", name),
                  errhint("Triggers on the extension's own tables call it.")));
}

void schedule_rows(FunctionCallInfo call) {
  ResultRows result(call);
  pg::AsOwner owner;
  for (const schedule::Due& due : schedule::list_due())
    result.put(to_row(due));
}

}  // namespace

bool is_changed_here() {
  return changed_at > 0;
}

}  // namespace hydra::sql

extern "C" {

using hydra::pg::entry;

PG_FUNCTION_INFO_V1(hydra_export_schedule_rows);
PG_FUNCTION_INFO_V1(hydra_export_schedule_changed);
PG_FUNCTION_INFO_V1(hydra_export_state_written);

Datum hydra_export_schedule_rows(PG_FUNCTION_ARGS) {
  entry([&]() { hydra::sql::schedule_rows(fcinfo); });
  return Datum(0);
}

Datum hydra_export_schedule_changed(PG_FUNCTION_ARGS) {
  if (!CALLED_AS_TRIGGER(fcinfo)) hydra::sql::refuse_call("schedule_changed");
  entry([]() { hydra::sql::note_change(); });
  return Datum(0);
}

Datum hydra_export_state_written(PG_FUNCTION_ARGS) {
  if (!CALLED_AS_TRIGGER(fcinfo)) hydra::sql::refuse_call("state_written");
  return PointerGetDatum(
      hydra::sql::without_origin(reinterpret_cast<TriggerData*>(fcinfo->context)));
}

}  // extern "C"
