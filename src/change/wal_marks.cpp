#include "change/wal_marks.hpp"

#include "pg/compat.hpp"
#include "pg/spi.hpp"
#include "pg/transaction.hpp"

namespace hydra::change {
namespace {

// The oldest transaction that is open at a baseline may have begun this many exports earlier.
constexpr int marks_kept = 200;

WalMark to_mark(const pg::Row& row) {
  return {static_cast<Lsn>(pg::to_int(row[0])), static_cast<FullXid>(pg::to_int(row[1]))};
}

}  // namespace

WalMark take_wal_mark() {
  WalMark mark;
  mark.lsn = pg::compat::flushed_wal();
  mark.next_xid = U64FromFullTransactionId(ReadNextFullTransactionId());
  return mark;
}

std::vector<WalMark> known_wal_marks(const WalMark& own) {
  pg::AsOwner owner;
  std::vector<WalMark> marks = {own};
  const pg::Text system = pg::text(static_cast<std::int64_t>(GetSystemIdentifier()));
  const pg::Rows rows = pg::query(
      "SELECT lsn - '0/0', next_xid FROM hydra_export.wal_marks"
      " WHERE system_identifier = $1::bigint AND timeline = $2::integer"
      // For a checkpoint: the position of its redo point, then the next id.
      " UNION ALL SELECT redo_lsn - '0/0', split_part(next_xid, ':', 1)::bigint * 4294967296"
      " + split_part(next_xid, ':', 2)::bigint FROM pg_control_checkpoint()"
      " WHERE timeline_id = $2::integer",
      {system, pg::text(pg::compat::timeline())});
  for (const pg::Row& row : rows)
    marks.push_back(to_mark(row));
  return marks;
}

void save_wal_mark(const WalMark& mark) {
  pg::query(
      "INSERT INTO hydra_export.wal_marks VALUES ('0/0'::pg_lsn + $1::numeric, $2::bigint, "
      "$3::bigint,"
      " $4::integer) ON CONFLICT DO NOTHING",
      {std::to_string(mark.lsn), std::to_string(mark.next_xid),
       pg::text(static_cast<std::int64_t>(GetSystemIdentifier())),
       pg::text(pg::compat::timeline())});
  pg::query(
      "DELETE FROM hydra_export.wal_marks WHERE lsn IN (SELECT lsn FROM hydra_export.wal_marks"
      " ORDER BY lsn DESC OFFSET $1::integer)",
      {pg::text(marks_kept)});
}

Lsn floor_of(const std::vector<WalMark>& marks, FullXid xmin) {
  Lsn newest = 0;
  for (const WalMark& mark : marks) {
    if (mark.next_xid <= xmin) newest = std::max(newest, mark.lsn);
  }
  return newest;
}

}  // namespace hydra::change
