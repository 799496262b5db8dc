// The snapshot that an export reads with, and the facts recorded before and after taking it.
#pragma once

#include <string>

#include "change/block_selection.hpp"
#include "change/wal_marks.hpp"
#include "change/xid_snapshot.hpp"
#include "pg/error.hpp"

namespace hydra::change {

// Recorded before a snapshot is taken.
struct BeforeSnapshot {
  // Texts of timestamptz.
  std::string taken_at;
  // A time at or before the start of every transaction that a later snapshot does not see;
  // '-infinity' if unknown. Read in the order clock, open transactions, prepared ones: a
  // transaction that one of these steps misses is found by the next, or has ended.
  std::string cursor;
  std::vector<WalMark> wal_marks;
};

// Call in a transaction that ends before the snapshot is taken. own: this export's mark.
BeforeSnapshot look_before_snapshot(const WalMark& own);

// A registered snapshot, and everything that a baseline records about it. The object must not
// outlive the transaction. WAL is flushed up to its end after the snapshot was taken, so no crash
// reverts a row that the snapshot sees.
class ExportSnapshot {
 public:
  enum class Use { rows, preview /* no row is sent anywhere, so WAL is left alone */ };
  explicit ExportSnapshot(const BeforeSnapshot& before, Use use = Use::rows);
  ~ExportSnapshot();
  ExportSnapshot(const ExportSnapshot&) = delete;
  ExportSnapshot& operator=(const ExportSnapshot&) = delete;

  Snapshot snapshot() const { return snapshot_; }
  const XidSnapshot& xids() const { return xids_; }
  FullXid next_xid() const { return next_xid_; }
  const std::string& cursor() const { return cursor_; }
  const std::string& lsn() const { return lsn_; }
  Lsn flushed() const { return flushed_; }  // the same position
  const WalBaseline& wal() const { return wal_; }
  std::int64_t system_identifier() const;
  std::int64_t timeline() const;

 private:
  Snapshot snapshot_ = nullptr;
  ResourceOwner owner_ = nullptr;
  XidSnapshot xids_;
  FullXid next_xid_ = 0;
  std::string cursor_, lsn_;
  Lsn flushed_ = 0;
  WalBaseline wal_;
};

}  // namespace hydra::change
