// The module's entry points: server settings, shared memory, the launcher.
#include "export/progress.hpp"
#include "pg/compat.hpp"
#include "pg/guc.hpp"
#include "pg/statement_log.hpp"
#include "pg/worker.hpp"
#include "schedule/timetable.hpp"
#include "tables/folders.hpp"

namespace {

shmem_startup_hook_type next_shmem_startup = nullptr;

void start_shmem() {
  if (next_shmem_startup != nullptr) next_shmem_startup();
  hydra::schedule::attach_memory();
  hydra::exporting::attach_progress_memory();
  hydra::tables::attach_folder_memory();
}

shmem_request_hook_type next_shmem_request = nullptr;

void request_shmem() {
  if (next_shmem_request != nullptr) next_shmem_request();
  hydra::schedule::request_memory();
  hydra::exporting::request_progress_memory();
  hydra::tables::request_folder_memory();
}

void prepare_shmem() {
  next_shmem_request = shmem_request_hook;
  shmem_request_hook = request_shmem;
  next_shmem_startup = shmem_startup_hook;
  shmem_startup_hook = start_shmem;
}

}  // namespace

extern "C" {

HYDRA_MODULE_MAGIC("hydra_export", HYDRA_VERSION);

PGDLLEXPORT void _PG_init(void);

void _PG_init(void) {
  hydra::pg::guc::define();
  hydra::pg::guard_log();
  if (!process_shared_preload_libraries_in_progress) return;
  prepare_shmem();
  hydra::pg::register_launcher();
}

}  // extern "C"
