// Background workers: starting them, and what each does first.
#pragma once

#include "pg/error.hpp"

namespace hydra::pg {

// Microseconds since the Unix epoch.
std::int64_t now();

// What a database worker is told when it is started; travels in bgw_extra.
struct WorkerRequest {
  Oid database = InvalidOid;
  dsm_handle channel = 0;  // 0: a visit by the schedule; else the caller of export_now() listens
};
static_assert(sizeof(WorkerRequest) <= BGW_EXTRALEN);

// Registers the launcher. In _PG_init() while the server starts.
void register_launcher();

// Starts a database worker that notifies this process when it starts and stops. nullptr when
// max_worker_processes leaves no room. The handle is allocated in the current memory context.
BackgroundWorkerHandle* start_worker(const WorkerRequest& request);

// At the start of a worker's main function, before anything can fail: signal handlers, then the
// connection. The launcher connects to no database.
void connect_launcher();
void connect_worker(Oid database);

// Whether the library was loaded by shared_preload_libraries.
bool is_preloaded();

}  // namespace hydra::pg
