#include "tables/folders.hpp"

#include <algorithm>

#include "base/sha256.hpp"
#include "pg/postgres.hpp"

namespace hydra::tables {
namespace {

// Many more exports than can begin within a minute.
constexpr int folders_kept = 1024;
const char* const name = "hydra_export folders";

using Hash = std::uint64_t;

struct Folders {
  std::uint64_t taken;  // in total; the newest is at (taken - 1) % folders_kept
  Hash newest[folders_kept];
};

Folders* folders = nullptr;
LWLock* lock = nullptr;

Hash hash_of(const std::string& place, const std::string& folder) {
  const Digest digest = sha256(place + '\n' + folder);
  Hash hash = 0;
  std::memcpy(&hash, digest.data(), sizeof(hash));
  return hash;
}

}  // namespace

void request_folder_memory() {
  RequestAddinShmemSpace(MAXALIGN(sizeof(Folders)));
  RequestNamedLWLockTranche(name, 1);
}

void attach_folder_memory() {
  LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
  bool found = false;
  folders = static_cast<Folders*>(ShmemInitStruct(name, sizeof(Folders), &found));
  if (!found) std::memset(static_cast<void*>(folders), 0, sizeof(Folders));
  lock = &GetNamedLWLockTranche(name)->lock;
  LWLockRelease(AddinShmemInitLock);
}

bool take_folder(const std::string& place, const std::string& folder) {
  if (folders == nullptr) return true;
  const Hash hash = hash_of(place, folder);
  LWLockAcquire(lock, LW_EXCLUSIVE);
  const Hash* end = folders->newest + folders_kept;
  const bool free = std::find(static_cast<const Hash*>(folders->newest), end, hash) == end;
  if (free) folders->newest[folders->taken++ % folders_kept] = hash;
  LWLockRelease(lock);
  return free;
}

}  // namespace hydra::tables
