// The timetable in shared memory: when each database is visited next.
#pragma once

#include <cstdint>
#include <vector>

#include "pg/error.hpp"

namespace hydra::schedule {

// The writers:
// - A backend that commits new settings or models calls touch(): visit this database now.
// - The launcher takes what is due with take_due() and starts a worker for each.
// - The worker checks the database and calls report() with the time of the next visit. The report
//   is ignored if touch() was called in between (shown by the generation), because the worker may
//   not have seen those changes.
// - The launcher calls give_up() for a worker that ended without a report.
//
// Without preloading there is no shared memory: then all functions do nothing, and is_available()
// is false. Nothing here raises errors.

void request_memory();  // in _PG_init(), or in the hook for it
void attach_memory();   // in the shmem_startup hook

bool is_available();

inline constexpr TimestampTz never = DT_NOEND;

void touch(Oid database);
std::uint64_t generation(Oid database);
void report(Oid database, TimestampTz next_visit, std::uint64_t generation);

// ---- for the launcher

// Makes these databases the entries: new ones are due at once, other entries are removed.
void set_databases(const std::vector<Oid>& databases);
void touch_all();

// A database that is due, and is marked as being visited; InvalidOid if none is.
Oid take_due(TimestampTz now);

// A database's visit ended, or could not be started. If it made no report, the next is at
// `next_visit`.
void give_up(Oid database, TimestampTz next_visit);

// When the next database is due; may be never.
TimestampTz next_due();

// Marks the calling process as the launcher, until it exits.
void become_launcher();
bool has_launcher();

// ---- exports and checks running at once in the server

// A slot among hydra_export.max_workers: for an export, or for check_access(), which takes as long
// as its store hangs. Released with the object, or when the process exits.
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

// The error for a caller that gets no slot.
pg::Error no_free_place();

}  // namespace hydra::schedule
