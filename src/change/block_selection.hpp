// Which blocks of a heap can hold rows that the baseline did not see (doc/design.md, "Which blocks
// can hold changes").
#pragma once

#include <memory>
#include <vector>

#include "base/block_counts.hpp"
#include "change/block_dispenser.hpp"
#include "change/wal_marks.hpp"
#include "pg/error.hpp"

namespace hydra::change {

// What a baseline knows of WAL. 0 = nothing, then the rule is not used.
struct WalBaseline {
  Lsn map_position = 0;  // where WAL stood just before the baseline's snapshot was taken
  Lsn floor = 0;         // all that the snapshot did not see was written after this

  bool is_known() const { return map_position != 0 || floor != 0; }
};

// Of a relation that is locked.
BlockNumber count_blocks(Oid heap);

// Takes blocks of a heap from a dispenser, and gives runs of those that must be read.
//
// A block is left out when one of these things proves that nothing on it was written since the
// baseline:
// - its all-visible bit is set, and the page of the visibility map that holds the bit was last
//   stamped before the baseline's snapshot was taken: setting a bit stamps the page, so this bit
//   was set by then, and has not been cleared since;
// - the LSN of the page is at or before the floor (an LSN of 0 proves nothing: such a page was
//   written without WAL);
// - WAL itself was asked which blocks changed since the floor, and this is none of them. The first
//   summary that was read may begin before the floor, and so name blocks that changed before it.
//
// The dispenser and this must be made after the scanning snapshot was taken: what that snapshot
// sees is then on one of the blocks, has cleared its bit and stamped its page. All methods but
// constructor and destructor are raw (pg/error.hpp).
class BlockSelection {
 public:
  // changed: the blocks that changed since the baseline's floor, in order; nullptr = not known.
  BlockSelection(Relation heap, const WalBaseline& baseline, BlockDispenser& dispenser,
                 const std::vector<BlockNumber>* changed = nullptr);

  enum class Next { run, pause, end };

  // The next run. `pause` = none yet, ask again: so many blocks were looked at that the caller's
  // other work should have its turn.
  Next next(BlockRun* run);

  // Of the blocks that were taken from the dispenser.
  const BlockCounts& counts() const { return counts_; }

  // How many of the heap's blocks the map does not prove unchanged. None is taken from the
  // dispenser.
  BlockNumber count_unproven();

 private:
  bool take_chunk();
  void skip_unchanged();
  void skip_visible();
  bool map_proves(BlockNumber block);
  void load_map_page(BlockNumber number);
  bool lsn_proves(BlockNumber block);
  bool must_read(BlockNumber block);

  Relation heap_;
  WalBaseline baseline_;
  BlockDispenser& dispenser_;
  const std::vector<BlockNumber>* changed_;
  BlockNumber map_blocks_;
  BlockNumber next_ = 0;  // of those that were taken and not looked at
  BlockNumber end_ = 0;
  BufferAccessStrategy ring_;
  BlockNumber map_number_ = InvalidBlockNumber;  // of the copy below
  bool map_useful_ = false;
  std::unique_ptr<PGAlignedBlock> map_;
  BlockCounts counts_;
};

}  // namespace hydra::change
