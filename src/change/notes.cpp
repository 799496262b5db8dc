#include "change/notes.hpp"

#include "pg/compat.hpp"
#include "pg/spi.hpp"
#include "pg/transaction.hpp"

namespace hydra::change {
namespace {

// As many exports back may the oldest transaction that is open at a baseline have begun.
constexpr int notes_kept = 200;

Note to_note(const pg::Row& row) {
  return {static_cast<Lsn>(pg::to_int(row[0])), static_cast<FullXid>(pg::to_int(row[1]))};
}

}  // namespace

Note take_note() {
  Note note;
  note.lsn = pg::compat::flushed_wal();
  note.next_xid = U64FromFullTransactionId(ReadNextFullTransactionId());
  return note;
}

std::vector<Note> known_notes(const Note& own) {
  pg::AsOwner owner;
  std::vector<Note> notes = {own};
  const pg::Text system = pg::text(static_cast<std::int64_t>(GetSystemIdentifier()));
  const pg::Rows rows = pg::query(
      "SELECT lsn - '0/0', next_xid FROM hydra_export.notes"
      " WHERE system_identifier = $1::bigint AND timeline = $2::integer"
      // A checkpoint notes the position of its redo point, then the next id.
      " UNION ALL SELECT redo_lsn - '0/0', split_part(next_xid, ':', 1)::bigint * 4294967296"
      " + split_part(next_xid, ':', 2)::bigint FROM pg_control_checkpoint()"
      " WHERE timeline_id = $2::integer",
      {system, pg::text(pg::compat::timeline())});
  for (const pg::Row& row : rows)
    notes.push_back(to_note(row));
  return notes;
}

void save_note(const Note& note) {
  pg::query(
      "INSERT INTO hydra_export.notes VALUES ('0/0'::pg_lsn + $1::numeric, $2::bigint, $3::bigint,"
      " $4::integer) ON CONFLICT DO NOTHING",
      {std::to_string(note.lsn), std::to_string(note.next_xid),
       pg::text(static_cast<std::int64_t>(GetSystemIdentifier())),
       pg::text(pg::compat::timeline())});
  pg::query(
      "DELETE FROM hydra_export.notes WHERE lsn IN (SELECT lsn FROM hydra_export.notes"
      " ORDER BY lsn DESC OFFSET $1::integer)",
      {pg::text(notes_kept)});
}

Lsn floor_of(const std::vector<Note>& notes, FullXid xmin) {
  Lsn newest = 0;
  for (const Note& note : notes) {
    if (note.next_xid <= xmin) newest = std::max(newest, note.lsn);
  }
  return newest;
}

}  // namespace hydra::change
