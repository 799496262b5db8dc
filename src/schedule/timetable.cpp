#include "schedule/timetable.hpp"

#include "base/counted.hpp"
#include "pg/guc.hpp"

namespace hydra::schedule {
namespace {

constexpr int max_databases = 4096;
const char* const name = "hydra_export";

struct Entry {
  Oid database;
  TimestampTz due;
  std::uint64_t generation;
  bool visiting;  // a worker was started and has not reported
};

struct Timetable {
  Latch* launcher;  // nullptr while there is none
  int running;      // number of exports and checks
  int used;
  Entry entries[max_databases];
};

Timetable* timetable = nullptr;
LWLock* lock = nullptr;
bool holds_place = false;
bool is_exporting = false;

class Locked {
 public:
  Locked() { LWLockAcquire(lock, LW_EXCLUSIVE); }
  ~Locked() { LWLockRelease(lock); }
  Locked(const Locked&) = delete;
  Locked& operator=(const Locked&) = delete;
};

Entry* find(Oid database) {
  for (int i = 0; i < timetable->used; ++i) {
    if (timetable->entries[i].database == database) return &timetable->entries[i];
  }
  return nullptr;
}

Entry* find_or_add(Oid database) {
  if (Entry* entry = find(database)) return entry;
  if (timetable->used == max_databases) return nullptr;
  Entry* entry = &timetable->entries[timetable->used++];
  *entry = {database, never, 0, false};
  return entry;
}

void wake_launcher() {
  if (timetable->launcher != nullptr) SetLatch(timetable->launcher);
}

void leave_launcher(int code, Datum argument) {
  (void)code;
  (void)argument;
  Locked locked;
  if (timetable->launcher == MyLatch) timetable->launcher = nullptr;
}

void free_place(int code, Datum argument) {
  (void)code;
  (void)argument;
  if (!holds_place) return;
  holds_place = false;
  Locked locked;
  --timetable->running;
  wake_launcher();
}

// The next visit records the end of an export whose process ended: at once, not when the database
// is next due. At this point the process has released the export's lock.
void ask_for_visit(int code, Datum argument) {
  (void)argument;
  if (code != 0 && is_exporting) touch(MyDatabaseId);
}

}  // namespace

void request_memory() {
  RequestAddinShmemSpace(MAXALIGN(sizeof(Timetable)));
  RequestNamedLWLockTranche(name, 1);
}

void attach_memory() {
  LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
  bool found = false;
  timetable = static_cast<Timetable*>(ShmemInitStruct(name, sizeof(Timetable), &found));
  if (!found) std::memset(static_cast<void*>(timetable), 0, sizeof(Timetable));
  lock = &GetNamedLWLockTranche(name)->lock;
  LWLockRelease(AddinShmemInitLock);
}

bool is_available() {
  return timetable != nullptr;
}

void touch(Oid database) {
  if (!is_available()) return;
  Locked locked;
  if (Entry* entry = find_or_add(database)) {
    ++entry->generation;
    entry->due = 0;
  }
  wake_launcher();
}

std::uint64_t generation(Oid database) {
  if (!is_available()) return 0;
  Locked locked;
  const Entry* entry = find(database);
  return entry != nullptr ? entry->generation : 0;
}

void report(Oid database, TimestampTz next_visit, std::uint64_t generation) {
  if (!is_available()) return;
  Locked locked;
  Entry* entry = find(database);
  if (entry == nullptr) return;
  entry->visiting = false;
  if (entry->generation == generation) entry->due = next_visit;
  wake_launcher();
}

void set_databases(const std::vector<Oid>& databases) {
  Locked locked;
  int kept = 0;
  for (int i = 0; i < timetable->used; ++i) {
    const Oid database = timetable->entries[i].database;
    if (std::find(databases.begin(), databases.end(), database) == databases.end()) continue;
    timetable->entries[kept++] = timetable->entries[i];
  }
  timetable->used = kept;
  for (const Oid database : databases) {
    if (find(database) != nullptr) continue;
    Entry* entry = find_or_add(database);
    if (entry == nullptr) return;
    entry->due = 0;
  }
}

void touch_all() {
  Locked locked;
  for (int i = 0; i < timetable->used; ++i) {
    ++timetable->entries[i].generation;
    timetable->entries[i].due = 0;
  }
}

Oid take_due(TimestampTz now) {
  Locked locked;
  for (int i = 0; i < timetable->used; ++i) {
    Entry& entry = timetable->entries[i];
    if (entry.visiting || entry.due > now) continue;
    entry.visiting = true;
    entry.due = never;
    return entry.database;
  }
  return InvalidOid;
}

void give_up(Oid database, TimestampTz next_visit) {
  Locked locked;
  Entry* entry = find(database);
  if (entry == nullptr || !entry->visiting) return;
  entry->visiting = false;
  entry->due = std::min(entry->due, next_visit);
}

TimestampTz next_due() {
  Locked locked;
  TimestampTz next = never;
  for (int i = 0; i < timetable->used; ++i) {
    if (!timetable->entries[i].visiting) next = std::min(next, timetable->entries[i].due);
  }
  return next;
}

void become_launcher() {
  before_shmem_exit(leave_launcher, 0);
  Locked locked;
  timetable->launcher = MyLatch;
  // Nothing is known about workers that an earlier launcher started.
  for (int i = 0; i < timetable->used; ++i) {
    if (timetable->entries[i].visiting) timetable->entries[i].due = 0;
    timetable->entries[i].visiting = false;
  }
}

bool has_launcher() {
  return is_available() && timetable->launcher != nullptr;
}

ExportPlace::ExportPlace() : taken_(true) {
  if (!is_available()) return;
  static bool registered = false;
  if (!registered) {
    before_shmem_exit(free_place, 0);
    on_shmem_exit(ask_for_visit, 0);
  }
  registered = true;
  Locked locked;
  taken_ = timetable->running < pg::guc::max_workers;
  if (!taken_) return;
  ++timetable->running;
  holds_place = is_exporting = true;
}

ExportPlace::~ExportPlace() {
  free_place(0, 0);
  is_exporting = false;
}

bool has_free_place() {
  if (!is_available()) return true;
  Locked locked;
  return timetable->running < pg::guc::max_workers;
}

pg::Error no_free_place() {
  const int most = pg::guc::max_workers;
  const std::string running = counted(most, "export") + (most == 1 ? " is" : " are");
  return pg::Error(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, running + " running already", "",
                   "Wait for one to end, or raise hydra_export.max_workers.");
}

}  // namespace hydra::schedule
