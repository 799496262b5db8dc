// Background workers: how they are started, and how they begin.
#pragma once

#include "pg/error.hpp"

namespace hydra::pg {

// Microseconds since the Unix epoch.
std::int64_t now();

// What a database worker is told at its start, in bgw_extra.
struct WorkerRequest {
  Oid database = InvalidOid;
  // 0: a visit by the schedule; else the channel to the caller of export_now()
  dsm_handle channel = 0;
};
static_assert(sizeof(WorkerRequest) <= BGW_EXTRALEN);

// Registers the launcher. Call in _PG_init() while the server starts.
void register_launcher();

// Starts a database worker that notifies this process when it starts and stops. nullptr if
// max_worker_processes has no free slot. The handle is allocated in the current memory context.
BackgroundWorkerHandle* start_worker(const WorkerRequest& request);

// Begins a worker's main function, before anything can fail: signal handlers, then the connection.
// The launcher connects to no database.
void connect_launcher();
void connect_worker(Oid database);

// Whether the library was loaded by shared_preload_libraries.
bool is_preloaded();

}  // namespace hydra::pg
