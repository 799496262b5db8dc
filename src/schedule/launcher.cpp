// The launcher: the one process of the extension that always runs. See README.md.
#include "pg/error.hpp"
#include "pg/event_loop.hpp"
#include "pg/guc.hpp"
#include "pg/transaction.hpp"
#include "pg/worker.hpp"
#include "schedule/timetable.hpp"

namespace hydra::schedule {
namespace {

constexpr TimestampTz second = USECS_PER_SEC;

// The time after which a worker that could not start, or ended without a report, is started again.
constexpr TimestampTz retry_after = 30 * second;

// The wait uses elapsed time, the timetable wall-clock time: with a check this often, setting the
// clock forward causes no long delay.
constexpr TimestampTz longest_wait = 600 * second;

struct Visit {
  Oid database;
  BackgroundWorkerHandle* handle;
};

// Raw. Databases that allow connections, except templates.
int list_databases(Oid* to, int room) {
  int count = 0;
  Relation relation = table_open(DatabaseRelationId, AccessShareLock);
  TableScanDesc scan = table_beginscan_catalog(relation, 0, nullptr);
  HeapTuple tuple;
  while ((tuple = heap_getnext(scan, ForwardScanDirection)) != nullptr && count < room) {
    const Form_pg_database row = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple));
    if (row->datallowconn && !row->datistemplate) to[count++] = row->oid;
  }
  table_endscan(scan);
  table_close(relation, AccessShareLock);
  return count;
}

void find_databases() {
  static Oid databases[4096];
  pg::Transaction transaction(pg::Transaction::Mode::read_only);
  const int count = pg::call([]() noexcept { return list_databases(databases, 4096); });
  transaction.commit();
  set_databases({databases, databases + count});
}

// Frees the handles of ended workers.
void reap(std::vector<Visit>& visits) {
  std::erase_if(visits, [](const Visit& visit) {
    pid_t pid = 0;
    if (GetBackgroundWorkerPid(visit.handle, &pid) != BGWH_STOPPED) return false;
    give_up(visit.database, GetCurrentTimestamp() + retry_after);
    pfree(visit.handle);
    return true;
  });
}

// Besides the exports there is always room for one visit, but not for many at once: after a start
// of the server, all databases are due.
bool may_start(const std::vector<Visit>& visits) {
  return has_free_place() && visits.size() <= static_cast<std::size_t>(pg::guc::max_workers);
}

void start_due(std::vector<Visit>& visits) {
  while (may_start(visits)) {
    const Oid database = take_due(GetCurrentTimestamp());
    if (!OidIsValid(database)) return;
    BackgroundWorkerHandle* handle = pg::start_worker({database, 0});
    if (handle != nullptr) {
      visits.push_back({database, handle});
      continue;
    }
    give_up(database, GetCurrentTimestamp() + retry_after);
    pg::report(
        LOG, pg::Error(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED,
                       "hydra_export could not start a worker", "", "Raise max_worker_processes."));
    return;
  }
}

// The end of an export or visit, and every change of the timetable, wakes the launcher in any case.
std::chrono::milliseconds time_to_wait(const std::vector<Visit>& visits) {
  const TimestampTz next = may_start(visits) ? next_due() : never;
  const TimestampTz now = GetCurrentTimestamp();
  const TimestampTz wait = next == never ? longest_wait : std::min(next - now, longest_wait);
  return std::chrono::milliseconds(std::max<TimestampTz>(wait, 0) / 1000 + 1);
}

[[noreturn]] void run() {
  pg::connect_launcher();
  MemoryContextSwitchTo(TopMemoryContext);
  become_launcher();
  std::vector<Visit> visits;
  for (;;) {
    find_databases();
    reap(visits);
    start_due(visits);
    // The server's settings influence when databases are due.
    if (pg::wait_for_latch(time_to_wait(visits))) touch_all();
  }
}

}  // namespace
}  // namespace hydra::schedule

extern "C" PGDLLEXPORT void hydra_export_launcher_main(Datum argument) {
  (void)argument;
  hydra::pg::entry([]() { hydra::schedule::run(); });
}
