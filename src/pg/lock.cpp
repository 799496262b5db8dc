#include "pg/lock.hpp"

#include "base/sha256.hpp"

namespace hydra::pg {
namespace {

// pg_locks shows it as objsubid. The server's own functions use 1 and 2.
constexpr uint16 lock_class = 0x4845;

}  // namespace

DestinationLock::DestinationLock(const std::string& destination) {
  const Digest digest = sha256(destination);
  uint32 parts[2];
  std::memcpy(parts, digest.data(), sizeof(parts));
  SET_LOCKTAG_ADVISORY(tag_, MyDatabaseId, parts[0], parts[1], lock_class);
}

DestinationLock::~DestinationLock() {
  if (held_) LockRelease(&tag_, ExclusiveLock, true);
}

bool DestinationLock::try_lock() {
  held_ = call([this]() noexcept {
    return LockAcquire(&tag_, ExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL;
  });
  return held_;
}

}  // namespace hydra::pg
