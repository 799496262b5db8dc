// The lock that tells whether a destination's export is alive.
#pragma once

#include <string>

#include "pg/error.hpp"

namespace hydra::pg {

// Held by the process that exports a destination, across transactions; the server releases it when
// that process ends in any way. It is an advisory lock of a separate lock class, so it cannot
// conflict with advisory locks of users.
class DestinationLock {
 public:
  explicit DestinationLock(const std::string& destination);
  ~DestinationLock();
  DestinationLock(const DestinationLock&) = delete;
  DestinationLock& operator=(const DestinationLock&) = delete;

  // Does not wait. Call in a transaction.
  bool try_lock();

  // The process that holds it; 0 = none. Call in a transaction.
  int holder() const;

 private:
  LOCKTAG tag_;
  bool held_ = false;
};

// Keeps this process's lock while user code may run in the transaction: user code can release a
// session's advisory locks (pg_advisory_unlock_all), but not a transaction's. Advisory locks that
// the user code took are released at the end of the scope, which must come before the end of the
// transaction.
class KeepLock {
 public:
  explicit KeepLock(const std::string& destination);
  ~KeepLock();
  KeepLock(const KeepLock&) = delete;
  KeepLock& operator=(const KeepLock&) = delete;

 private:
  LOCKTAG tag_;
};

}  // namespace hydra::pg
