// Makes an export give up what other sessions wait for, within about a second, whatever it is doing
// (doc/design.md, "Giving way").
#pragma once

#include "pg/error.hpp"

namespace hydra::pg {

// A process that waits for a lock that this process, or a parallel worker of it, holds in a
// conflicting mode: a lock on a table or an index, on an object, or on the transaction itself, for
// whose end CREATE INDEX CONCURRENTLY and others wait. A process that waits only behind other
// waiters does not count.
struct Waiter {
  int pid;
  LOCKMODE mode;
  LOCKTAG tag;
};

// Checks once. Allocates no memory and raises no errors.
std::optional<Waiter> find_waiter();

// "process 12, which waits to lock orders (AccessExclusiveLock)". In a transaction.
std::string describe(const Waiter& waiter);

// Locks the extension while this process exports. DROP EXTENSION waits for that lock, and thereby
// ends the export: check_interrupts() throws from then on, until the end of the scope. The abort of
// a transaction releases the lock. Construct it in a transaction that has locked the extension
// (hold_extension()); it may outlive that transaction.
class ExtensionHold {
 public:
  ExtensionHold();
  ~ExtensionHold();
  ExtensionHold(const ExtensionHold&) = delete;
  ExtensionHold& operator=(const ExtensionHold&) = delete;

  // From now on no waiter ends the export, because the remaining work takes no time.
  static void stop_looking();

  // The process that wants to drop the extension.
  static const std::optional<Waiter>& wanted_by();
};

// A scope whose locks are released at its end, so a process that waits for them ends the scope:
// everything in it, including user code, is cancelled, and check_interrupts() throws from then on.
// Must be used within the life of an ExtensionHold.
class GiveWay {
 public:
  GiveWay();
  ~GiveWay();
  GiveWay(const GiveWay&) = delete;
  GiveWay& operator=(const GiveWay&) = delete;

  // The process that ended the last such scope, if one did.
  static const std::optional<Waiter>& to();
};

// Throws if a waiter was found; part of check_interrupts().
void throw_if_awaited();

}  // namespace hydra::pg
