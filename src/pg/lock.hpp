// The lock that says whether a destination's export is alive.
#pragma once

#include <string>

#include "pg/error.hpp"

namespace hydra::pg {

// Held by the process that exports a destination, across transactions, and freed by the server
// when that process ends in whatever way. An advisory lock of a class of its own, so that no
// user's lock is in its way.
class DestinationLock {
 public:
  explicit DestinationLock(const std::string& destination);
  ~DestinationLock();
  DestinationLock(const DestinationLock&) = delete;
  DestinationLock& operator=(const DestinationLock&) = delete;

  // Does not wait. Inside a transaction.
  bool try_lock();

  // The process that holds it; 0 = none does. Inside a transaction.
  int holder() const;

 private:
  LOCKTAG tag_;
  bool held_ = false;
};

// Keeps the lock that this process holds while code of somebody else may run in the transaction:
// such code can let go of a session's advisory locks (pg_advisory_unlock_all), but not of a
// transaction's. Advisory locks that such code took go at the end of the scope, which comes
// before the transaction's.
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
