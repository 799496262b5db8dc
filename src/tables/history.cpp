#include "tables/history.hpp"

#include "base/clock.hpp"
#include "bucket/folder.hpp"
#include "pg/compat.hpp"
#include "pg/spi.hpp"
#include "tables/folders.hpp"
#include "tables/place.hpp"

namespace hydra::tables {
namespace {

using pg::Text;

constexpr Micros micros_per_second = 1000000;
constexpr std::size_t minute_digits = 12;  // of a folder's name

const char* to_text(StartedBy started_by) {
  switch (started_by) {
    case StartedBy::schedule:
      return "schedule";
    case StartedBy::retry:
      return "retry";
    case StartedBy::user:
      break;
  }
  return "user";
}

Text timestamp(std::optional<Micros> micros) {
  if (!micros) return std::nullopt;
  return iso8601(*micros);
}

Text number(std::uint64_t value) {
  return std::to_string(value);
}

// After a promotion, the lost primary may have exported in this same minute without this server
// knowing of it: the next minute is free.
std::string minute_of(const Destination& destination, Micros now) {
  const std::optional<DestinationState> state = load_state(destination.name);
  const bool promoted = state && state->last_timeline != pg::compat::timeline();
  return utc_minute(now / micros_per_second + (promoted ? 60 : 0));
}

// The next folder that no export of this server has used recently.
std::string next_free_folder(const Destination& destination, const std::string& minute,
                             std::string last) {
  const std::string place = place_of(destination);
  do
    last = bucket::next_folder(minute, last);
  while (!take_folder(place, last));
  return last;
}

// The unique constraint decides which folder is free: the history may contain folders of an earlier
// destination of this name.
Claim insert_export(const Destination& destination, StartedBy started_by, Micros now) {
  const std::string minute = minute_of(destination, now);
  std::string last = destination.last_folder;
  for (;;) {
    const std::string folder = next_free_folder(destination, minute, last);
    const pg::Rows rows = pg::query(
        "INSERT INTO hydra_export.exports (destination, folder, started_by, status, started_at)"
        " VALUES ($1, $2, $3, 'running', $4::timestamptz)"
        " ON CONFLICT (destination, folder) DO NOTHING RETURNING id",
        {destination.name, folder, to_text(started_by), timestamp(now)});
    if (!rows.empty()) return {pg::to_int(rows[0][0]), folder, now};
    last = folder;
  }
}

void insert_model(const Claim& claim, const ModelRow& model) {
  pg::query(
      "INSERT INTO hydra_export.export_models (export_id, model, relation, kind, status,"
      " started_at, finished_at, objects, rows, bytes, error, reason, snapshot, lsn,"
      " previous_export_id, blocks_total, blocks_skipped_by_map, blocks_skipped_by_lsn,"
      " blocks_read, workers, blocks_skipped_by_summary) VALUES ($1::bigint, $2, $3, $4, $5, "
      "$6::timestamptz,"
      " $7::timestamptz, $8::bigint, $9::bigint, $10::bigint, $11, $12, $13::pg_snapshot,"
      " $14::pg_lsn, $15::bigint, $16::bigint, $17::bigint, $18::bigint, $19::bigint,"
      " $20::integer, $21::bigint)",
      {pg::text(claim.export_id),
       model.model,
       model.relation,
       pg::text_or_null(model.kind),
       model.status,
       timestamp(model.started_at),
       timestamp(model.finished_at),
       number(model.objects.size()),
       number(model.rows()),
       number(model.bytes()),
       pg::text_or_null(model.error),
       pg::text_or_null(model.reason),
       pg::text_or_null(model.snapshot),
       pg::text_or_null(model.lsn),
       model.previous_export_id ? pg::text(*model.previous_export_id) : Text(),
       number(model.blocks_total),
       number(model.blocks.skipped_by_map),
       number(model.blocks.skipped_by_lsn),
       number(model.blocks.read),
       number(static_cast<std::uint64_t>(model.workers)),
       number(model.blocks.skipped_by_summary)});
  for (const ObjectRow& object : model.objects) {
    pg::query(
        "INSERT INTO hydra_export.export_objects VALUES ($1::bigint, $2, $3, $4, $5, $6::bigint,"
        " $7::bigint, $8, $9, $10::timestamptz)",
        {pg::text(claim.export_id), model.model, pg::from_utf8(object.key), object.first_id,
         object.last_id, number(object.rows), number(object.bytes), object.sha256, object.etag,
         timestamp(object.uploaded_at)});
  }
}

}  // namespace

std::uint64_t ModelRow::rows() const {
  std::uint64_t sum = 0;
  for (const ObjectRow& object : objects)
    sum += object.rows;
  return sum;
}

std::uint64_t ModelRow::bytes() const {
  std::uint64_t sum = 0;
  for (const ObjectRow& object : objects)
    sum += object.bytes;
  return sum;
}

Claim claim_export(const Destination& destination, const std::vector<Model>& models,
                   StartedBy started_by, Micros now) {
  const Claim claim = insert_export(destination, started_by, now);
  note_folder(destination.name, claim.folder);
  if (started_by != StartedBy::user) note_start(destination.name, now);
  for (const Model& model : models) {
    pg::query(
        "INSERT INTO hydra_export.model_state (model_id, attempted_at) VALUES ($1::integer,"
        " $2::timestamptz) ON CONFLICT (model_id) DO UPDATE SET attempted_at = $2::timestamptz",
        {pg::text(model.id), timestamp(now)});
  }
  return claim;
}

void take_next_folder(Claim& claim, const Destination& destination) {
  const std::string minute = claim.folder.substr(0, minute_digits);
  pg::Rows taken;
  while (taken.empty()) {
    claim.folder = next_free_folder(destination, minute, claim.folder);
    taken = pg::query(
        "UPDATE hydra_export.exports SET folder = $2 WHERE id = $1::bigint AND NOT EXISTS (SELECT"
        " FROM hydra_export.exports WHERE destination = $3 AND folder = $2) RETURNING id",
        {pg::text(claim.export_id), claim.folder, destination.name});
  }
  note_folder(destination.name, claim.folder);
}

void finish_export(const Claim& claim, const std::string& status, const std::string& error,
                   const std::vector<ModelRow>& models) {
  std::uint64_t objects = 0, rows = 0, bytes = 0;
  for (const ModelRow& model : models) {
    insert_model(claim, model);
    objects += model.objects.size();
    rows += model.rows();
    bytes += model.bytes();
  }
  pg::query(
      "UPDATE hydra_export.exports SET status = $2, error = $3, finished_at = clock_timestamp(),"
      " models = $4::integer, objects = $5::bigint, rows = $6::bigint, bytes = $7::bigint"
      " WHERE id = $1::bigint",
      {pg::text(claim.export_id), status, pg::text_or_null(error), number(models.size()),
       number(objects), number(rows), number(bytes)});
}

void fail_abandoned(const std::string& destination) {
  const pg::Rows scheduled = pg::query(
      "UPDATE hydra_export.exports SET status = 'failed', finished_at = clock_timestamp(),"
      " error = 'the worker ended before the export did: it was killed, or the server stopped'"
      " WHERE destination = $1 AND status = 'running' RETURNING started_by <> 'user'",
      {destination});
  for (const pg::Row& row : scheduled) {
    if (pg::to_bool(row[0])) note_finish(destination, false);
  }
}

// Deletes from each table, because foreign keys may be disabled.
void remove_old_history(int minutes) {
  const std::string old =
      "SELECT id FROM hydra_export.exports WHERE status <> 'running'"
      " AND started_at < now() - $1::integer * interval '1 minute'";
  for (const char* table : {"export_objects", "export_models"}) {
    pg::query(
        std::string("DELETE FROM hydra_export.") + table + " WHERE export_id IN (" + old + ")",
        {pg::text(minutes)});
  }
  pg::query("DELETE FROM hydra_export.exports WHERE id IN (" + old + ")", {pg::text(minutes)});
}

}  // namespace hydra::tables
