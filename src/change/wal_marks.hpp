// Pairs of a WAL position and a transaction id: what was written after what (doc/design.md, "Which
// blocks can hold changes").
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "change/xid_snapshot.hpp"

namespace hydra::change {

using Lsn = std::uint64_t;

// A transaction with an id from next_xid on began to write after this WAL position. The position
// is read first, then the id; and it is one that was flushed, since after a crash ids are given
// again from what was durable on.
struct WalMark {
  Lsn lsn = 0;
  FullXid next_xid = 0;
};

WalMark take_wal_mark();

// The marks kept in hydra_export.wal_marks on this timeline, the last checkpoint's, and `own`.
std::vector<WalMark> known_wal_marks(const WalMark& own);

// Keeps a mark, and the newest of the older ones.
void save_wal_mark(const WalMark& mark);

// The newest position before all that a snapshot with this xmin did not see; 0 = none is known.
Lsn floor_of(const std::vector<WalMark>& marks, FullXid xmin);

}  // namespace hydra::change
