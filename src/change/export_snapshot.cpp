#include "change/export_snapshot.hpp"

#include "pg/compat.hpp"
#include "pg/spi.hpp"

namespace hydra::change {
namespace {

// The ids of everything that was running, including subtransactions.
XidSnapshot to_xids(Snapshot snapshot, FullXid next) {
  const FullXid xmin = widen(snapshot->xmin, next);
  if (snapshot->suboverflowed) return XidSnapshot::overflowed(xmin);
  std::vector<FullXid> in_progress;
  in_progress.reserve(snapshot->xcnt + static_cast<std::size_t>(snapshot->subxcnt));
  for (uint32 i = 0; i < snapshot->xcnt; ++i)
    in_progress.push_back(widen(snapshot->xip[i], next));
  for (int32 i = 0; i < snapshot->subxcnt; ++i) {
    in_progress.push_back(widen(snapshot->subxip[i], next));
  }
  return XidSnapshot(xmin, widen(snapshot->xmax, next), std::move(in_progress));
}

std::string to_text(XLogRecPtr lsn) {
  char text[32];
  snprintf(text, sizeof(text), "%X/%X", static_cast<unsigned>(lsn >> 32),
           static_cast<unsigned>(lsn));
  return text;
}

}  // namespace

BeforeSnapshot look_before_snapshot(const WalMark& own) {
  BeforeSnapshot before;
  before.taken_at = pg::or_empty(pg::query("SELECT clock_timestamp()")[0][0]);
  // A statement starts before its transaction becomes visible, so its start time counts as well. A
  // session without track_activities shows neither time, and one that turned it on within a
  // transaction does not show when that transaction began. Transactions of other databases write no
  // rows here.
  const pg::Text oldest = pg::query(
      "SELECT CASE WHEN NOT current_setting('track_activities')::bool OR bool_or(state = 'disabled'"
      "     OR xact_start IS NULL AND (state LIKE 'idle in transaction%'"
      "       OR state IN ('active', 'fastpath function call') AND EXISTS (SELECT FROM pg_locks l"
      "         WHERE l.pid = a.pid AND l.locktype = 'virtualxid' AND l.granted"
      "         AND l.mode = 'ExclusiveLock')))"
      " THEN '-infinity'"
      " ELSE least($1::timestamptz, min(xact_start), min(query_start)"
      " FILTER (WHERE state IN ('active', 'fastpath function call'))) END"
      " FROM pg_stat_get_activity(NULL) a"
      " WHERE datid = (SELECT oid FROM pg_database WHERE datname = current_database())"
      " AND pid <> pg_backend_pid()",
      {before.taken_at})[0][0];
  const bool prepared = pg::to_bool(pg::query(
      "SELECT EXISTS (SELECT FROM pg_prepared_xacts WHERE database = current_database())")[0][0]);
  before.cursor = prepared ? "-infinity" : oldest.value_or(before.taken_at);
  before.wal_marks = known_wal_marks(own);
  return before;
}

ExportSnapshot::ExportSnapshot(const BeforeSnapshot& before, Use use) : cursor_(before.cursor) {
  XLogRecPtr lsn = InvalidXLogRecPtr;
  pg::call([&]() noexcept {
    owner_ = CurrentResourceOwner;
    wal_.map_position = GetXLogInsertRecPtr();
    snapshot_ = RegisterSnapshotOnOwner(GetLatestSnapshot(), owner_);
    if (use == Use::preview) return;
    // Writes a WAL record, because WAL can only be flushed up to the end of a record.
    lsn = pg::compat::append_wal_message("hydra_export");
    XLogFlush(lsn);
  });
  next_xid_ = U64FromFullTransactionId(ReadNextFullTransactionId());
  xids_ = to_xids(snapshot_, next_xid_);
  flushed_ = lsn;
  lsn_ = to_text(lsn);
  wal_.floor = floor_of(before.wal_marks, xids_.xmin());
}

ExportSnapshot::~ExportSnapshot() {
  UnregisterSnapshotFromOwner(snapshot_, owner_);
}

std::int64_t ExportSnapshot::system_identifier() const {
  return static_cast<std::int64_t>(GetSystemIdentifier());
}

std::int64_t ExportSnapshot::timeline() const {
  return pg::compat::timeline();
}

}  // namespace hydra::change
