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

// WAL positions of a baseline. A rule whose position is 0 (unknown) is not used.
struct WalBaseline {
  Lsn map_position = 0;  // the end of WAL just before the baseline's snapshot was taken
  Lsn floor = 0;         // all that the snapshot did not see was written after this

  bool is_known() const { return map_position != 0 || floor != 0; }
};

// The relation must be locked.
BlockNumber count_blocks(Oid heap);

// Takes blocks of a heap from a dispenser, and returns runs of blocks that must be read.
//
// A block is skipped if one of these proves that nothing on it was written since the baseline:
// - Its all-visible bit is set, and the LSN of the visibility map's page with that bit is from
//   before the baseline's snapshot: setting a bit updates the LSN, so this bit was set by then, and
//   has not been cleared since.
// - The LSN of the page is at or before the floor. (An LSN of 0 proves nothing: such a page was
//   written without WAL.)
// - The list of blocks that WAL changed since the floor does not contain it. The first summary that
//   was read may begin before the floor, and so name blocks that changed before it.
//
// The dispenser and this object must be made after the scanning snapshot was taken: what that
// snapshot sees is then on one of the blocks, has cleared its bit and updated its LSN. All methods
// but constructor and destructor are raw (pg/error.hpp).
class BlockSelection {
 public:
  // changed: the blocks that changed since the baseline's floor, in order; nullptr if unknown.
  BlockSelection(Relation heap, const WalBaseline& baseline, BlockDispenser& dispenser,
                 const std::vector<BlockNumber>* changed = nullptr);

  enum class Next { run, pause, end };

  // The next run. `pause`: no run yet; many blocks were skipped, and the caller should do other
  // work before it calls again.
  Next next(BlockRun* run);

  // Counts of the blocks that were taken from the dispenser.
  const BlockCounts& counts() const { return counts_; }

  // How many of the heap's blocks the map does not prove unchanged. Takes none from the dispenser.
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
  BlockNumber next_ = 0;  // of the blocks that were taken and not yet examined
  BlockNumber end_ = 0;
  BufferAccessStrategy ring_;
  BlockNumber map_number_ = InvalidBlockNumber;  // of the map page that is copied below
  bool map_useful_ = false;
  std::unique_ptr<PGAlignedBlock> map_;
  BlockCounts counts_;
};

}  // namespace hydra::change
