#include "change/wal_changes.hpp"

#include "pg/compat.hpp"
#include "pg/interrupts.hpp"
#include "pg/spi.hpp"

namespace hydra::change {

const WalChanges::Blocks* WalChanges::find(Oid file, Lsn from) const {
  const auto found = blocks_.find({file, from});
  return found == blocks_.end() ? nullptr : &found->second;
}

#if !HYDRA_HAVE_WAL_SUMMARIES

void WalChanges::load(const std::vector<Oid>& files, Lsn from, Lsn to) {
  (void)files;
  (void)from;
  (void)to;
}

#else

namespace {

// The maximum amount of WAL that is read after the last summary: for more than that, reading page
// headers is less work.
constexpr Lsn longest_tail = 64 * 1024 * 1024;

constexpr int changes_at_once = 1024;

// Collects the changed blocks of the requested files.
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

  std::vector<std::string> files() const {
    std::vector<std::string> files;
    for (const auto& [file, blocks] : blocks_)
      files.push_back(std::to_string(file));
    return files;
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

bool summarizes_wal() {
  return pg::call(
      []() noexcept { return strcmp(GetConfigOption("summarize_wal", false, false), "on") == 0; });
}

// The server's summaries from a position on, without gaps.
struct Summaries {
  std::vector<std::string> starts, ends;  // of each summary, as pg_lsn
  Lsn covered = 0;                        // the end of the last summary
};

Summaries list_summaries(Lsn from, TimeLineID timeline) {
  const pg::Rows rows = pg::query(
      "SELECT start_lsn, end_lsn, start_lsn - '0/0', end_lsn - '0/0'"
      " FROM pg_available_wal_summaries() WHERE tli = $1::bigint AND end_lsn - '0/0' > $2::numeric"
      " ORDER BY start_lsn, end_lsn",
      {pg::text(timeline), std::to_string(from)});
  Summaries summaries;
  summaries.covered = from;
  for (const pg::Row& row : rows) {
    if (std::stoull(*row[2]) > summaries.covered) break;
    summaries.starts.push_back(*row[0]);
    summaries.ends.push_back(*row[1]);
    summaries.covered = std::max<Lsn>(summaries.covered, std::stoull(*row[3]));
  }
  return summaries;
}

// Reads exactly the listed summaries: it is an error if one was removed since. Blocks after the
// point at which a file was truncated are listed when they are written again.
void read_summaries(const Summaries& summaries, TimeLineID timeline, Collection& collection) {
  const pg::Rows rows = pg::query(
      "SELECT c.relfilenode, c.relblocknumber FROM unnest($2::pg_lsn[], $3::pg_lsn[]) s (first, "
      "last)"
      " CROSS JOIN pg_wal_summary_contents($1::bigint, s.first, s.last) c"
      " WHERE c.reldatabase = $4::oid AND c.relforknumber = 0 AND NOT c.is_limit_block"
      " AND c.relfilenode = ANY ($5::oid[])",
      {pg::text(timeline), pg::array_literal(summaries.starts), pg::array_literal(summaries.ends),
       pg::text(MyDatabaseId), pg::array_literal(collection.files())});
  for (const pg::Row& row : rows) {
    collection.of(static_cast<Oid>(pg::to_int(row[0])))
        ->push_back(static_cast<BlockNumber>(pg::to_int(row[1])));
  }
}

// ---- WAL

struct Change {
  Oid file;
  BlockNumber block;
};

// Raw. Sets `done` at the end of the range, and at the end of WAL.
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

// Raw.
XLogReaderState* make_reader() {
  void* state = palloc0(sizeof(ReadLocalXLogPageNoWaitPrivate));
  XLogReaderRoutine routine{};
  routine.page_read = read_local_xlog_page_no_wait;
  routine.segment_open = wal_segment_open;
  routine.segment_close = wal_segment_close;
  XLogReaderState* reader = XLogReaderAllocate(wal_segment_size, nullptr, &routine, state);
  if (reader == nullptr) ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory")));
  return reader;
}

// A reader of WAL. The server does not track the segment file that it has open, so the destructor
// closes it however the reading ends. Must not outlive the memory context in which it was made.
class WalReader {
 public:
  WalReader() : reader_(pg::call([]() noexcept { return make_reader(); })) {}
  ~WalReader() { XLogReaderFree(reader_); }  // raises nothing
  WalReader(const WalReader&) = delete;
  WalReader& operator=(const WalReader&) = delete;

  // False if there is no record from this position on.
  bool seek(Lsn from) {
    XLogReaderState* const reader = reader_;
    return pg::call([=]() noexcept {
      return !XLogRecPtrIsInvalid(pg::compat::find_next_record(reader, from));
    });
  }

  // See read_changes().
  int read(Lsn to, Change* changes, bool* done) {
    XLogReaderState* const reader = reader_;
    return pg::call([=]() noexcept { return read_changes(reader, to, changes, done); });
  }

  Lsn place() const { return reader_->EndRecPtr; }

 private:
  XLogReaderState* reader_;
};

// False if WAL ends before `to`.
bool read_wal(Lsn from, Lsn to, Collection& collection) {
  WalReader reader;
  if (!reader.seek(from)) return false;
  for (bool done = false; !done;) {
    Change changes[changes_at_once];
    const int count = reader.read(to, changes, &done);
    for (int i = 0; i < count; ++i) {
      if (WalChanges::Blocks* blocks = collection.of(changes[i].file)) {
        blocks->push_back(changes[i].block);
      }
    }
    pg::check_interrupts();
  }
  return reader.place() >= to;
}

}  // namespace

void WalChanges::load(const std::vector<Oid>& files, Lsn from, Lsn to) {
  if (!summarizes_wal()) return;
  const TimeLineID timeline = pg::compat::timeline();
  const Summaries summaries = list_summaries(from, timeline);
  const Lsn covered = std::min(summaries.covered, to);
  // WAL before the last checkpoint may have been removed.
  if (covered < to && (covered < GetRedoRecPtr() || to - covered > longest_tail)) return;
  Collection collection(files);
  read_summaries(summaries, timeline, collection);
  if (covered < to && !read_wal(covered, to, collection)) return;
  for (auto& [file, blocks] : collection.take())
    blocks_[{file, from}] = std::move(blocks);
}

#endif

}  // namespace hydra::change
