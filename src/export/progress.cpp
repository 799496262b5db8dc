#include "export/progress.hpp"

#include "pg/postgres.hpp"

namespace hydra::exporting {
namespace {

const char* const name = "hydra_export progress";

// More than hydra_export.max_workers can be.
constexpr int max_slots = 64;

struct Slot {
  int pid;  // 0: free
  Oid database;
  std::int64_t export_id;
  char model[256];
  char phase[32];
  std::uint64_t numbers[7];
  catalog::Micros started_at;
};

struct Shared {
  Slot slots[max_slots];
};

Shared* shared = nullptr;
LWLock* lock = nullptr;
Slot* own = nullptr;

void copy(char* to, std::size_t room, const std::string& from) {
  const int length =
      pg_mbcliplen(from.c_str(), static_cast<int>(from.size()), static_cast<int>(room) - 1);
  std::memcpy(to, from.c_str(), static_cast<std::size_t>(length));
  to[length] = '\0';
}

void free_slot(int code, Datum argument) {
  (void)code;
  (void)argument;
  hide_progress();
}

// Under the lock.
Slot* take_slot() {
  static bool registered = false;
  if (!registered) before_shmem_exit(free_slot, 0);
  registered = true;
  for (Slot& slot : shared->slots) {
    if (slot.pid != 0) continue;
    slot.pid = MyProcPid;
    slot.database = MyDatabaseId;
    return &slot;
  }
  return nullptr;
}

Progress to_progress(const Slot& slot) {
  Progress progress;
  progress.export_id = slot.export_id;
  progress.model = slot.model;
  progress.phase = slot.phase;
  progress.blocks_total = slot.numbers[0];
  progress.blocks_scanned = slot.numbers[1];
  progress.blocks_skipped = slot.numbers[2];
  progress.rows = slot.numbers[3];
  progress.bytes_written = slot.numbers[4];
  progress.bytes_uploaded = slot.numbers[5];
  progress.objects = slot.numbers[6];
  progress.started_at = slot.started_at;
  progress.pid = slot.pid;
  return progress;
}

}  // namespace

void request_progress_memory() {
  RequestAddinShmemSpace(MAXALIGN(sizeof(Shared)));
  RequestNamedLWLockTranche(name, 1);
}

void attach_progress_memory() {
  LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
  bool found = false;
  shared = static_cast<Shared*>(ShmemInitStruct(name, sizeof(Shared), &found));
  if (!found) std::memset(static_cast<void*>(shared), 0, sizeof(Shared));
  lock = &GetNamedLWLockTranche(name)->lock;
  LWLockRelease(AddinShmemInitLock);
}

void show_progress(const Progress& progress) {
  if (shared == nullptr) return;
  LWLockAcquire(lock, LW_EXCLUSIVE);
  if (own == nullptr) own = take_slot();
  if (own != nullptr) {
    own->export_id = progress.export_id;
    copy(own->model, sizeof(own->model), progress.model);
    copy(own->phase, sizeof(own->phase), progress.phase);
    const std::uint64_t numbers[] = {
        progress.blocks_total,  progress.blocks_scanned, progress.blocks_skipped, progress.rows,
        progress.bytes_written, progress.bytes_uploaded, progress.objects};
    std::memcpy(own->numbers, numbers, sizeof(numbers));
    own->started_at = progress.started_at;
  }
  LWLockRelease(lock);
}

void hide_progress() {
  if (own == nullptr) return;
  LWLockAcquire(lock, LW_EXCLUSIVE);
  std::memset(static_cast<void*>(own), 0, sizeof(*own));
  own = nullptr;
  LWLockRelease(lock);
}

std::vector<Progress> list_progress() {
  std::vector<Progress> list;
  if (shared == nullptr) return list;
  // Copied first: nothing may throw while the lock is held.
  static Slot slots[max_slots];
  LWLockAcquire(lock, LW_SHARED);
  std::memcpy(static_cast<void*>(slots), shared->slots, sizeof(slots));
  LWLockRelease(lock);
  for (const Slot& slot : slots) {
    if (slot.pid != 0 && slot.database == MyDatabaseId) list.push_back(to_progress(slot));
  }
  return list;
}

}  // namespace hydra::exporting
