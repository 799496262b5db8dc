#include "change/wal_changes.hpp"

#include "pg/compat.hpp"

namespace hydra::change {

const WalChanges::Blocks* WalChanges::find(Oid file, Lsn from) const {
  const auto found = blocks_.find({file, from});
  return found == blocks_.end() ? nullptr : &found->second;
}

#if PG_VERSION_NUM < 170000

void WalChanges::load(const std::vector<Oid>& files, Lsn from, Lsn to) {
  (void)files;
  (void)from;
  (void)to;
}

#else

namespace {

// WAL that is read after the last summary, at the most.
constexpr Lsn longest_tail = 256 * 1024 * 1024;

constexpr int changes_at_once = 1024;
constexpr unsigned blocks_at_once = 1024;

// The changed blocks of the files that are asked for.
class Collection {
 public:
  explicit Collection(const std::vector<Oid>& files) {
    for (const Oid file : files)
      blocks_[file];
  }

  WalChanges::Blocks* of(Oid file) {
    const auto found = blocks_.find(file);
    return found == blocks_.end() ? nullptr : &found->second;
  }

  std::map<Oid, WalChanges::Blocks> take() {
    for (auto& [file, blocks] : blocks_) {
      std::sort(blocks.begin(), blocks.end());
      blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
    }
    return std::move(blocks_);
  }

 private:
  std::map<Oid, WalChanges::Blocks> blocks_;
};

// ---- summaries

struct Summary {
  WalSummaryIO io{};
  BlockRefTableReader* reader = nullptr;
};

// False when the file was removed since it was listed.
bool open(Summary& summary, WalSummaryFile* file) {
  return pg::call([&summary, file]() noexcept {
    summary.io.file = OpenWalSummaryFile(file, true);
    if (summary.io.file < 0) return false;
    summary.reader = CreateBlockRefTableReader(
        ReadWalSummary, &summary.io, FilePathName(summary.io.file), ReportWalSummaryError, nullptr);
    return true;
  });
}

void close(Summary& summary) {
  pg::call([&summary]() noexcept {
    DestroyBlockRefTableReader(summary.reader);
    FileClose(summary.io.file);
  });
}

// A truncated file's blocks beyond its end then are listed when they are written again.
bool read_summary(WalSummaryFile* file, Collection& collection) {
  Summary summary;
  if (!open(summary, file)) return false;
  RelFileLocator locator{};
  ForkNumber fork = InvalidForkNumber;
  BlockNumber limit = InvalidBlockNumber;
  while (pg::call([&]() noexcept {
    return BlockRefTableReaderNextRelation(summary.reader, &locator, &fork, &limit);
  })) {
    const bool wanted = locator.dbOid == MyDatabaseId && fork == MAIN_FORKNUM;
    WalChanges::Blocks* const to = wanted ? collection.of(locator.relNumber) : nullptr;
    BlockNumber blocks[blocks_at_once];
    // Those that nobody wants have to be read as well.
    while (const unsigned count = pg::call([&]() noexcept {
             return BlockRefTableReaderGetBlocks(summary.reader, blocks, blocks_at_once);
           })) {
      if (to != nullptr) to->insert(to->end(), blocks, blocks + count);
    }
    pg::check_interrupts();
  }
  close(summary);
  return true;
}

// Up to where summaries without a gap say what changed; 0 where there are none.
Lsn read_summaries(Lsn from, Lsn to, Collection& collection) {
  XLogRecPtr covered = InvalidXLogRecPtr;
  List* const files = pg::call([&]() noexcept {
    List* list = GetWalSummaries(GetWALInsertionTimeLine(), from, to);
    if (WalSummariesAreComplete(list, from, to, &covered)) covered = to;
    return list;
  });
  if (covered <= from) return 0;
  for (int i = 0; i < list_length(files); ++i) {
    if (!read_summary(static_cast<WalSummaryFile*>(list_nth(files, i)), collection)) return 0;
  }
  return covered;
}

// ---- WAL

struct Change {
  Oid file;
  BlockNumber block;
};

// Raw. At the end of what is to be read `done` is set; at the end of all WAL, too.
int read_changes(XLogReaderState* reader, Lsn to, Change* changes, bool* done) {
  int count = 0;
  while (count + XLR_MAX_BLOCK_ID < changes_at_once) {
    char* error = nullptr;
    const bool found = reader->EndRecPtr < to && XLogReadRecord(reader, &error) != nullptr;
    if (!found || reader->ReadRecPtr >= to) {
      *done = true;
      break;
    }
    for (int i = 0; i <= XLogRecMaxBlockId(reader); ++i) {
      RelFileLocator locator;
      ForkNumber fork = InvalidForkNumber;
      BlockNumber block = InvalidBlockNumber;
      if (!XLogRecGetBlockTagExtended(reader, static_cast<uint8>(i), &locator, &fork, &block,
                                      nullptr)) {
        continue;
      }
      if (fork != MAIN_FORKNUM || locator.dbOid != MyDatabaseId) continue;
      changes[count++] = {locator.relNumber, block};
    }
  }
  return count;
}

// Raw. nullptr where there is no record from there on.
XLogReaderState* open_wal(Lsn from) {
  void* state = palloc0(sizeof(ReadLocalXLogPageNoWaitPrivate));
  XLogReaderState* reader = XLogReaderAllocate(
      wal_segment_size, nullptr,
      XL_ROUTINE(.page_read = read_local_xlog_page_no_wait, .segment_open = wal_segment_open,
                 .segment_close = wal_segment_close),
      state);
  if (reader == nullptr) ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
  return XLogRecPtrIsInvalid(XLogFindNextRecord(reader, from)) ? nullptr : reader;
}

// False where WAL ends before `to`.
bool read_wal(Lsn from, Lsn to, Collection& collection) {
  XLogReaderState* const reader = pg::call([=]() noexcept { return open_wal(from); });
  if (reader == nullptr) return false;
  for (bool done = false; !done;) {
    Change changes[changes_at_once];
    const int count = pg::call([&]() noexcept { return read_changes(reader, to, changes, &done); });
    for (int i = 0; i < count; ++i) {
      if (WalChanges::Blocks* blocks = collection.of(changes[i].file)) {
        blocks->push_back(changes[i].block);
      }
    }
    pg::check_interrupts();
  }
  const bool complete = reader->EndRecPtr >= to;
  pg::call([=]() noexcept { XLogReaderFree(reader); });
  return complete;
}

}  // namespace

void WalChanges::load(const std::vector<Oid>& files, Lsn from, Lsn to) {
  Collection collection(files);
  const Lsn covered = read_summaries(from, to, collection);
  if (covered == 0 || to - std::min(covered, to) > longest_tail) return;
  if (covered < to && !read_wal(covered, to, collection)) return;
  for (auto& [file, blocks] : collection.take())
    blocks_[{file, from}] = std::move(blocks);
}

#endif

}  // namespace hydra::change
