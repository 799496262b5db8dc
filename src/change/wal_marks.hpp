// Pairs of a WAL position and a transaction id, which tell what was written after what
// (doc/design.md, "Which blocks can hold changes").
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "change/xid_snapshot.hpp"

namespace hydra::change {

using Lsn = std::uint64_t;

// Every transaction with an id from next_xid on began to write after this WAL position. The
// position is read before the id, and is one that was flushed, because after a crash the server
// assigns ids again from the last durable state.
struct WalMark {
  Lsn lsn = 0;
  FullXid next_xid = 0;
};

WalMark take_wal_mark();

// The marks in hydra_export.wal_marks for this timeline, that of the last checkpoint, and `own`.
std::vector<WalMark> known_wal_marks(const WalMark& own);

// Saves a mark, and keeps only the newest of the older ones.
void save_wal_mark(const WalMark& mark);

// The newest position before everything that a snapshot with this xmin did not see; 0 if unknown.
Lsn floor_of(const std::vector<WalMark>& marks, FullXid xmin);

}  // namespace hydra::change
