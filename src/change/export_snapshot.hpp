// The snapshot that an export reads with, and what must be known before and after taking it.
#pragma once

#include <string>

#include "change/block_selection.hpp"
#include "change/wal_marks.hpp"
#include "change/xid_snapshot.hpp"
#include "pg/error.hpp"

namespace hydra::change {

// What is known before a snapshot is taken.
struct BeforeSnapshot {
  // Texts of timestamptz.
  std::string taken_at;
  // No transaction that a later snapshot does not see began before this; '-infinity' where that
  // cannot be known. Read in the order clock, open transactions, prepared ones: a transaction that
  // slips through one of them is seen by the next, or has ended.
  std::string cursor;
  std::vector<WalMark> wal_marks;
};

// In a transaction that ends before the snapshot is taken. own: the mark of this export.
BeforeSnapshot look_before_snapshot(const WalMark& own);

// A registered snapshot, and everything that a baseline keeps of it. Held inside a transaction; the
// scope of the object must end before it does. WAL is flushed up to where it stood after the
// snapshot was taken, so no crash takes back a row that it sees.
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
