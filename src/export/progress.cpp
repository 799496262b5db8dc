#include "export/progress.hpp"

#include "pg/postgres.hpp"

namespace hydra::exporting {
namespace {

const char* const name = "hydra_export progress";

constexpr int max_slots = 1024;

struct Slot {
  int pid;  // 0: the slot is free
  Oid database;
  std::int64_t export_id;
  char model[256];
  char phase[32];
  std::uint64_t blocks_total, blocks_scanned, blocks_skipped;
  std::uint64_t rows, bytes_written, bytes_uploaded, objects;
  tables::Micros started_at;
};

struct Shared {
  Slot slots[max_slots];
};

Shared* shared = nullptr;
LWLock* lock = nullptr;
std::vector<Slot*> own;

void copy(char* to, std::size_t room, const std::string& from) {
  const int length =
      pg_mbcliplen(from.c_str(), static_cast<int>(from.size()), static_cast<int>(room) - 1);
  std::memcpy(to, from.c_str(), static_cast<std::size_t>(length));
  to[length] = '\0';
}

void fill(Slot& slot, const Progress& progress) {
  slot.pid = MyProcPid;
  slot.database = MyDatabaseId;
  slot.export_id = progress.export_id;
  copy(slot.model, sizeof(slot.model), progress.model);
  copy(slot.phase, sizeof(slot.phase), progress.phase);
  slot.blocks_total = progress.blocks_total;
  slot.blocks_scanned = progress.blocks_scanned;
  slot.blocks_skipped = progress.blocks_skipped;
  slot.rows = progress.rows;
  slot.bytes_written = progress.bytes_written;
  slot.bytes_uploaded = progress.bytes_uploaded;
  slot.objects = progress.objects;
  slot.started_at = progress.started_at;
}

Progress to_progress(const Slot& slot) {
  Progress progress;
  progress.export_id = slot.export_id;
  progress.model = slot.model;
  progress.phase = slot.phase;
  progress.blocks_total = slot.blocks_total;
  progress.blocks_scanned = slot.blocks_scanned;
  progress.blocks_skipped = slot.blocks_skipped;
  progress.rows = slot.rows;
  progress.bytes_written = slot.bytes_written;
  progress.bytes_uploaded = slot.bytes_uploaded;
  progress.objects = slot.objects;
  progress.started_at = slot.started_at;
  progress.pid = slot.pid;
  return progress;
}

void hide_at_exit(int code, Datum argument) {
  (void)code;
  (void)argument;
  hide_progress();
}

// Changes a model's entry, if it has one.
template <typename Change>
void change_slot(std::size_t model, Change change) {
  if (model >= own.size()) return;
  LWLockAcquire(lock, LW_EXCLUSIVE);
  change(*own[model]);
  LWLockRelease(lock);
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

void show_models(const std::vector<Progress>& models) {
  if (shared == nullptr) return;
  static bool registered = false;
  if (!registered) before_shmem_exit(hide_at_exit, 0);
  registered = true;
  own.reserve(models.size());
  LWLockAcquire(lock, LW_EXCLUSIVE);
  for (Slot& slot : shared->slots) {
    if (own.size() == models.size()) break;
    if (slot.pid != 0) continue;
    fill(slot, models[own.size()]);
    own.push_back(&slot);
  }
  LWLockRelease(lock);
}

void hide_progress() {
  if (own.empty()) return;
  LWLockAcquire(lock, LW_EXCLUSIVE);
  for (Slot* slot : own)
    slot->pid = 0;
  LWLockRelease(lock);
  own.clear();
}

void show_progress(std::size_t model, const Progress& progress) {
  change_slot(model, [&](Slot& slot) { fill(slot, progress); });
}

void show_phase(std::size_t model, const char* phase) {
  change_slot(model, [=](Slot& slot) { strlcpy(slot.phase, phase, sizeof(slot.phase)); });
}

void show_uploads(std::size_t model, std::uint64_t bytes, std::uint64_t objects) {
  change_slot(model, [=](Slot& slot) {
    slot.bytes_uploaded = bytes;
    slot.objects = objects;
  });
}

std::vector<Progress> list_progress() {
  std::vector<Progress> list;
  if (shared == nullptr) return list;
  // Copied first: nothing may throw while the lock is held.
  const auto slots = std::make_unique<Slot[]>(max_slots);
  LWLockAcquire(lock, LW_SHARED);
  std::memcpy(static_cast<void*>(slots.get()), shared->slots, sizeof(shared->slots));
  LWLockRelease(lock);
  for (int i = 0; i < max_slots; ++i) {
    const Slot& slot = slots[i];
    if (slot.pid != 0 && slot.database == MyDatabaseId) list.push_back(to_progress(slot));
  }
  return list;
}

}  // namespace hydra::exporting
