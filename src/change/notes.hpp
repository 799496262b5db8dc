// Notes of WAL positions and transaction ids: what was written after what (doc/design.md, "Which
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
struct Note {
  Lsn lsn = 0;
  FullXid next_xid = 0;
};

Note take_note();

// The notes kept in hydra_export.notes on this timeline, the last checkpoint's, and `own`.
std::vector<Note> known_notes(const Note& own);

// Keeps a note, and the newest of the older ones.
void save_note(const Note& note);

// The newest position before all that a snapshot with this xmin did not see; 0 = none is known.
Lsn floor_of(const std::vector<Note>& notes, FullXid xmin);

}  // namespace hydra::change
