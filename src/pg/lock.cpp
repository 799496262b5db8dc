#include "pg/lock.hpp"

#include "base/sha256.hpp"
#include "pg/spi.hpp"

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

int DestinationLock::holder() const {
  const Rows rows = query(
      "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = $1::oid"
      " AND classid = $2::oid AND objid = $3::oid AND objsubid = $4::smallint",
      {text(tag_.locktag_field1), text(tag_.locktag_field2), text(tag_.locktag_field3),
       text(tag_.locktag_field4)});
  return rows.empty() ? 0 : static_cast<int>(to_int(rows[0][0]));
}

bool DestinationLock::try_lock() {
  held_ = call([this]() noexcept {
    return LockAcquire(&tag_, ExclusiveLock, true, true) != LOCKACQUIRE_NOT_AVAIL;
  });
  return held_;
}

}  // namespace hydra::pg
