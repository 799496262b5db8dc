#include "change/block_selection.hpp"

#include "pg/compat.hpp"

namespace hydra::change {
namespace {

// A short run is scanned soon after its headers were read, while its pages are still in memory.
constexpr BlockNumber longest_run = 32;

// Skipping a block by the map costs almost nothing, reading a header a fraction of a microsecond.
constexpr int looks_per_call = 4096;

// Two bits per heap block, of which the lower means "all visible", after the page header
// (visibilitymap.c).
constexpr BlockNumber bytes_per_map_page = BLCKSZ - MAXALIGN(SizeOfPageHeaderData);
constexpr BlockNumber blocks_per_map_byte = 4;
constexpr BlockNumber blocks_per_map_page = bytes_per_map_page * blocks_per_map_byte;

// The "all visible" bits of as many blocks as fit into a word.
using MapWord = std::uint64_t;
constexpr MapWord all_visible = 0x5555555555555555;
constexpr BlockNumber blocks_per_map_word = sizeof(MapWord) * blocks_per_map_byte;

// Raw.
BlockNumber count_map_blocks(Relation heap) {
  SMgrRelation storage = RelationGetSmgr(heap);
  if (!smgrexists(storage, VISIBILITYMAP_FORKNUM)) return 0;
  return smgrnblocks(storage, VISIBILITYMAP_FORKNUM);
}

}  // namespace

BlockNumber count_blocks(Oid heap) {
  return pg::call([=]() noexcept {
    Relation relation = table_open(heap, NoLock);
    const BlockNumber blocks = RelationGetNumberOfBlocks(relation);
    table_close(relation, NoLock);
    return blocks;
  });
}

BlockSelection::BlockSelection(Relation heap, const WalBaseline& baseline,
                               BlockDispenser& dispenser, const std::vector<BlockNumber>* changed)
    : heap_(heap),
      baseline_(baseline),
      dispenser_(dispenser),
      changed_(changed),
      map_(std::make_unique<PGAlignedBlock>()) {
  pg::call([this]() noexcept {
    map_blocks_ = baseline_.map_position != 0 ? count_map_blocks(heap_) : 0;
    ring_ = GetAccessStrategy(BAS_BULKREAD);
  });
}

void BlockSelection::load_map_page(BlockNumber number) {
  CHECK_FOR_INTERRUPTS();
  map_number_ = number;
  map_useful_ = false;
  if (number >= map_blocks_) return;
  Buffer buffer =
      ReadBufferExtended(heap_, VISIBILITYMAP_FORKNUM, number, RBM_ZERO_ON_ERROR, nullptr);
  // Bits and LSN must be read at the same moment.
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  const Page page = BufferGetPage(buffer);
  const Lsn lsn = PageIsNew(page) ? 0 : PageGetLSN(page);
  map_useful_ = lsn != 0 && lsn <= baseline_.map_position;
  if (map_useful_) std::memcpy(map_->data, page, BLCKSZ);
  UnlockReleaseBuffer(buffer);
}

bool BlockSelection::map_proves(BlockNumber block) {
  const BlockNumber number = block / blocks_per_map_page;
  if (number != map_number_) load_map_page(number);
  if (!map_useful_) return false;
  const BlockNumber place = block % blocks_per_map_page;
  const unsigned char byte = static_cast<unsigned char>(
      map_->data[MAXALIGN(SizeOfPageHeaderData) + place / blocks_per_map_byte]);
  return ((byte >> (2 * (place % blocks_per_map_byte))) & 1) != 0;
}

bool BlockSelection::lsn_proves(BlockNumber block) {
  Buffer buffer = ReadBufferExtended(heap_, MAIN_FORKNUM, block, RBM_NORMAL, ring_);
  LockBuffer(buffer, BUFFER_LOCK_SHARE);
  const Page page = BufferGetPage(buffer);
  const bool fresh = PageIsNew(page);
  const Lsn lsn = PageGetLSN(page);
  UnlockReleaseBuffer(buffer);
  return fresh || (lsn != 0 && lsn <= baseline_.floor);
}

bool BlockSelection::must_read(BlockNumber block) {
  if (changed_ != nullptr && !std::binary_search(changed_->begin(), changed_->end(), block)) {
    ++counts_.skipped_by_summary;
    return false;
  }
  if (map_proves(block)) {
    ++counts_.skipped_by_map;
    return false;
  }
  if (baseline_.floor != 0 && lsn_proves(block)) {
    ++counts_.skipped_by_lsn;
    return false;
  }
  ++counts_.read;
  return true;
}

bool BlockSelection::take_chunk() {
  const BlockRun chunk = dispenser_.next();
  next_ = chunk.first;
  end_ = chunk.first + chunk.count;
  return chunk.count > 0;
}

// Moves to the chunk's next block that changed, if the changed blocks are known.
void BlockSelection::skip_unchanged() {
  if (changed_ == nullptr) return;
  const auto found = std::lower_bound(changed_->begin(), changed_->end(), next_);
  const BlockNumber block = found == changed_->end() ? end_ : std::min(*found, end_);
  counts_.skipped_by_summary += block - next_;
  next_ = block;
}

// Skips blocks that the map proves unchanged, many at a time.
void BlockSelection::skip_visible() {
  if (changed_ != nullptr || baseline_.map_position == 0) return;
  while (end_ - next_ >= blocks_per_map_word) {
    const BlockNumber number = next_ / blocks_per_map_page;
    if (number != map_number_) load_map_page(number);
    const BlockNumber place = next_ % blocks_per_map_page;
    const bool is_word =
        place % blocks_per_map_byte == 0 && place + blocks_per_map_word <= blocks_per_map_page;
    if (!map_useful_ || !is_word) return;
    MapWord word = 0;
    std::memcpy(&word, map_->data + MAXALIGN(SizeOfPageHeaderData) + place / blocks_per_map_byte,
                sizeof(word));
    if ((word & all_visible) != all_visible) return;
    counts_.skipped_by_map += blocks_per_map_word;
    next_ += blocks_per_map_word;
  }
}

BlockSelection::Next BlockSelection::next(BlockRun* run) {
  run->count = 0;
  const std::uint64_t looked = counts_.skipped_by_lsn;
  while (next_ < end_ || take_chunk()) {
    if (!baseline_.is_known()) {
      *run = {next_, end_ - next_};
      counts_.read += run->count;
      next_ = end_;
      return Next::run;
    }
    while (next_ < end_) {
      if (run->count == 0) {
        skip_unchanged();
        skip_visible();
      }
      if (next_ == end_) break;
      const BlockNumber block = next_++;
      if (must_read(block)) {
        if (run->count == 0) run->first = block;
        if (++run->count == longest_run) return Next::run;
        continue;
      }
      if (run->count > 0) return Next::run;
      if (counts_.skipped_by_lsn - looked >= looks_per_call) return Next::pause;
    }
    if (run->count > 0) return Next::run;
  }
  return Next::end;
}

BlockNumber BlockSelection::count_unproven() {
  BlockNumber unproven = 0;
  for (BlockNumber block = 0; block < dispenser_.blocks(); ++block) {
    if (!map_proves(block)) ++unproven;
  }
  return unproven;
}

}  // namespace hydra::change
