// Whoever waits for something that an export holds is let through within about a second, whatever
// the export is doing just then.
#pragma once

#include "pg/error.hpp"

namespace hydra::pg {

// Somebody who waits for a lock that this process, or a parallel worker of it, holds in a mode that
// conflicts: a lock of a table or an index, of an object, or that of the transaction itself, for
// the end of which CREATE INDEX CONCURRENTLY and others wait. Who waits only behind others is none.
struct Waiter {
  int pid;
  LOCKMODE mode;
  LOCKTAG tag;
};

// Looks once. Takes no memory and raises nothing.
std::optional<Waiter> find_waiter();

// "process 12, which waits to lock orders (AccessExclusiveLock)". In a transaction.
std::string describe(const Waiter& waiter);

// Keeps the extension there while this process exports. DROP EXTENSION waits for it, which ends the
// export: check_interrupts() throws then, until the end of the scope. An abort of a transaction
// lets go of it. In a transaction, which has
// held the extension (hold_extension()); the scope outlives it.
class ExtensionHold {
 public:
  ExtensionHold();
  ~ExtensionHold();
  ExtensionHold(const ExtensionHold&) = delete;
  ExtensionHold& operator=(const ExtensionHold&) = delete;

  // Nobody is let through any more: what remains to be done takes no time.
  static void stop_looking();

  // Who wants to drop it.
  static const std::optional<Waiter>& wanted_by();
};

// What somebody waits for is given up at the end of this scope, so that anybody who waits ends it:
// whatever runs in it is cancelled, code of somebody else included, and check_interrupts() throws
// from then on. Within the life of an ExtensionHold.
class GiveWay {
 public:
  GiveWay();
  ~GiveWay();
  GiveWay(const GiveWay&) = delete;
  GiveWay& operator=(const GiveWay&) = delete;

  // Who ended the last such scope, if anybody did.
  static const std::optional<Waiter>& to();
};

// Throws where somebody was found to wait; part of check_interrupts().
void throw_if_awaited();

}  // namespace hydra::pg
