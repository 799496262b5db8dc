#include "pg/lock.hpp"

#include "base/sha256.hpp"
#include "pg/spi.hpp"

namespace hydra::pg {
namespace {

// pg_locks shows it as objsubid 18501, by which check_history() finds the lock. The server's own
// functions use 1 and 2.
constexpr uint16 lock_class = 0x4845;

LOCKTAG tag_of(const std::string& destination) {
  const Digest digest = sha256(destination);
  uint32 parts[2];
  std::memcpy(parts, digest.data(), sizeof(parts));
  LOCKTAG tag;
  SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, parts[0], parts[1], lock_class);
  return tag;
}

// Raw. session: held across transactions.
bool try_lock(const LOCKTAG* tag, bool session) {
  return LockAcquire(tag, ExclusiveLock, session, true) != LOCKACQUIRE_NOT_AVAIL;
}

}  // namespace

DestinationLock::DestinationLock(const std::string& destination) : tag_(tag_of(destination)) {}

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
  held_ = call([this]() noexcept { return hydra::pg::try_lock(&tag_, true); });
  return held_;
}

KeepLock::KeepLock(const std::string& destination) : tag_(tag_of(destination)) {
  call([this]() noexcept {
    if (!try_lock(&tag_, false)) elog(ERROR, "the export's lock is held by another process");
  });
}

// The transaction still has the lock, so no other process can have taken it meanwhile.
KeepLock::~KeepLock() {
  try {
    call([this]() noexcept {
      LockReleaseSession(USER_LOCKMETHOD);
      if (!try_lock(&tag_, true)) elog(ERROR, "it is held by another process");
    });
  } catch (const Error& error) {
    const char* message = error.what();
    ereport(FATAL, errmsg_internal("could not keep an export's lock: %s", message));
  }
}

}  // namespace hydra::pg
