// The timetable in shared memory: when each database wants a visit.
#pragma once

#include <cstdint>
#include <vector>

#include "pg/error.hpp"

namespace hydra::schedule {

// Who writes what:
// - a backend that commits new settings or models calls touch(): visit this database now;
// - the launcher takes what is due with take_due() and starts a worker for each;
// - the worker looks at the database and calls report(): next visit then. Its answer does not count
//   when touch() came in between (the generation tells), since it may not have seen those changes;
// - the launcher calls give_up() for a worker that ended without a report.
//
// Without preloading there is no shared memory: then all of this does nothing, and is_available()
// is false. Nothing here raises errors.

void request_memory();  // in _PG_init(), or in the hook for it
void attach_memory();   // in the shmem_startup hook

bool is_available();

inline constexpr TimestampTz never = DT_NOEND;

void touch(Oid database);
std::uint64_t generation(Oid database);
void report(Oid database, TimestampTz next_visit, std::uint64_t generation);

// ---- for the launcher

// Makes the entries those of these databases: new ones are due at once, others' are dropped.
void set_databases(const std::vector<Oid>& databases);
void touch_all();

// A database that is due, and from now on being visited; InvalidOid when none is.
Oid take_due(TimestampTz now);

// A database's visit ended, or could not be started. Without a report, the next is at `next_visit`.
void give_up(Oid database, TimestampTz next_visit);

// When the next database is due; never.
TimestampTz next_due();

// The calling process is the launcher, until it exits.
void become_launcher();
bool has_launcher();

// ---- exports and checks running at once in the server

// A place among hydra_export.max_workers: for an export, or a check of access, which takes as long
// as its store hangs. Freed with the object, or when the process exits.
class ExportPlace {
 public:
  ExportPlace();
  ~ExportPlace();
  ExportPlace(const ExportPlace&) = delete;
  ExportPlace& operator=(const ExportPlace&) = delete;

  bool taken() const { return taken_; }

 private:
  bool taken_;
};

bool has_free_place();

// What to tell the caller who gets none.
pg::Error no_free_place();

}  // namespace hydra::schedule
