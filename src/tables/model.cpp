#include "tables/model.hpp"

#include "calendar/grid.hpp"
#include "pg/spi.hpp"
#include "pg/worker.hpp"

namespace hydra::tables {
namespace {

using pg::or_empty;
using pg::Row;
using pg::Text;

constexpr int usual_hour = 3600;

const std::string select_models =
    "SELECT m.destination, m.name, m.relation::oid, m.changed_by, m.updated_at_column,"
    " m.key_columns, m.columns, m.look_back, m.full_every_hours, m.added_by::oid, m.generation,"
    " m.id, s.export_id, s.folder, (extract(epoch FROM s.full_at) * 1000000)::bigint,"
    // A model that failed before its kind was known has sent nothing.
    " s.export_id IS NOT NULL AND (EXISTS (SELECT FROM hydra_export.exports e"
    " LEFT JOIN hydra_export.export_models x ON x.export_id = e.id AND x.model = m.name"
    " WHERE e.destination = m.destination AND e.id > s.export_id"
    " AND (x.export_id IS NULL OR x.kind IS NOT NULL))"
    " OR NOT EXISTS (SELECT FROM hydra_export.exports e WHERE e.id = s.export_id)),"
    " coalesce(m.problem, ''), coalesce(m.restored_relation,"
    " (SELECT c.oid::regclass::text FROM pg_class c WHERE c.oid = m.relation),"
    " s.relation_name, '-'),"
    " m.restored_relation IS NOT NULL AND m.restored_role IS NOT NULL, s.relation_name,"
    " (extract(epoch FROM d.anchor) * 1000000)::bigint, g.frequency_hours, s.full_next"
    " FROM hydra_export.models m JOIN hydra_export.settings g USING (destination)"
    " LEFT JOIN hydra_export.destination_state d USING (destination)"
    " LEFT JOIN hydra_export.model_state s ON s.model_id = m.id"
    " WHERE m.destination = $1";

// A model keeps its dumped state, except for the problem, unless both its table and its role exist.
const std::string look_for_restored =
    "WITH named AS (SELECT id, parse_ident(restored_relation) AS relation, restored_role"
    "   FROM hydra_export.models WHERE destination = $1 AND restored_relation IS NOT NULL"
    "   AND restored_role IS NOT NULL),"
    " found AS (SELECT named.id, c.oid AS relation, r.oid AS role, c.oid IS NOT NULL AND r.oid IS "
    "NOT NULL AS is_here"
    "   FROM named LEFT JOIN pg_namespace n ON n.nspname = named.relation[1]"
    "   LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = named.relation[2]"
    "   LEFT JOIN pg_roles r ON r.rolname = named.restored_role)"
    " UPDATE hydra_export.models m SET relation = CASE WHEN is_here THEN found.relation END,"
    " added_by = CASE WHEN is_here THEN found.role END,"
    " restored_relation = CASE WHEN NOT is_here THEN m.restored_relation END,"
    " restored_role = CASE WHEN NOT is_here THEN m.restored_role END,"
    " problem = CASE WHEN found.relation IS NULL"
    "     THEN 'there is no ' || m.restored_relation || ', which a dump names as its table'"
    "   WHEN found.role IS NULL THEN 'there is no role ' || quote_ident(m.restored_role)"
    "     || ', which a dump names as the one that added it' END"
    " FROM found WHERE found.id = m.id";

// Whether full_every_hours have passed since the last full export.
bool is_full_due(const Row& row, int seconds_per_hour) {
  if (!row[8]) return false;
  if (!row[14]) return true;
  const std::int64_t hour = std::int64_t{1000000} * seconds_per_hour;
  const std::optional<std::int64_t> anchor =
      row[20] ? std::optional(pg::to_int(row[20])) : std::nullopt;
  return calendar::is_due_again(pg::to_int(row[14]), pg::now(), pg::to_int(row[8]) * hour, hour,
                                anchor, pg::to_int(row[21]) * hour);
}

Model to_model(const Row& row, int seconds_per_hour) {
  Model model;
  model.destination = or_empty(row[0]);
  model.name = or_empty(row[1]);
  model.changed_by = row[3] == "xmin" ? ChangedBy::xmin : ChangedBy::updated_at;
  model.updated_at_column = or_empty(row[4]);
  model.key_columns = pg::array_items(row[5]);
  model.columns = pg::array_items(row[6]);
  model.look_back = or_empty(row[7]);
  if (row[8]) model.full_every_hours = static_cast<int>(pg::to_int(row[8]));
  model.generation = pg::to_int(row[10]);
  model.id = static_cast<int>(pg::to_int(row[11]));
  if (row[12]) model.previous_export_id = pg::to_int(row[12]);
  model.previous_folder = or_empty(row[13]);
  model.full_due = is_full_due(row, seconds_per_hour);
  model.unfinished = pg::to_bool(row[15]);
  model.problem = or_empty(row[16]);
  model.relation_name = or_empty(row[17]);
  model.restored = pg::to_bool(row[18]);
  model.previous_relation_name = or_empty(row[19]);
  model.full_because = or_empty(row[22]);
  // The OIDs are used only if the model has no problem.
  if (model.problem.empty()) {
    model.relation = static_cast<Oid>(pg::to_int(row[2]));
    model.added_by = static_cast<Oid>(pg::to_int(row[9]));
  }
  return model;
}

std::vector<Baseline> load_baselines(int model_id) {
  std::vector<Baseline> baselines;
  const pg::Rows rows = pg::query(
      "SELECT relation, snapshot, cursor, lsn, fingerprint, system_identifier, timeline,"
      " file_number, wal_map - '0/0', wal_floor - '0/0', relation_name, condition, empty"
      " FROM hydra_export.baselines WHERE model_id = $1::integer",
      {pg::text(model_id)});
  for (const Row& row : rows) {
    baselines.push_back({static_cast<Oid>(pg::to_int(row[0])), or_empty(row[1]), or_empty(row[2]),
                         or_empty(row[3]), or_empty(row[4]), pg::to_int(row[5]), pg::to_int(row[6]),
                         static_cast<Oid>(pg::to_int(row[7])), pg::to_int(row[8]),
                         pg::to_int(row[9]), or_empty(row[10]), or_empty(row[11]),
                         pg::to_bool(row[12])});
  }
  return baselines;
}

Text array_or_null(const std::vector<std::string>& items) {
  return items.empty() ? Text() : Text(pg::array_literal(items));
}

std::vector<Text> to_parameters(const Model& model) {
  return {model.destination,
          model.name,
          pg::text(model.relation),
          model.changed_by == ChangedBy::xmin ? "xmin" : "updated_at",
          pg::text_or_null(model.updated_at_column),
          array_or_null(model.key_columns),
          array_or_null(model.columns),
          model.look_back,
          model.full_every_hours ? pg::text(*model.full_every_hours) : Text(),
          pg::text(model.added_by)};
}

}  // namespace

const Baseline* Model::baseline_of(Oid leaf) const {
  for (const Baseline& baseline : baselines) {
    if (baseline.relation == leaf) return &baseline;
  }
  return nullptr;
}

std::vector<Model> load_models(const std::string& destination, int seconds_per_hour) {
  std::vector<Model> models;
  for (const Row& row : pg::query(select_models + " ORDER BY m.name", {destination})) {
    models.push_back(to_model(row, seconds_per_hour));
    models.back().baselines = load_baselines(models.back().id);
  }
  return models;
}

Model hold_model(const std::string& destination, const std::string& name) {
  // First, so that what another session has changed is read afterwards.
  pg::query(
      "SELECT FROM hydra_export.models WHERE destination = $1 AND name = $2"
      " FOR NO KEY UPDATE",
      {destination, name});
  const pg::Rows rows = pg::query(select_models + " AND m.name = $2", {destination, name});
  if (rows.empty()) {
    throw pg::Error(ERRCODE_UNDEFINED_OBJECT,
                    "model \"" + name + "\" does not exist in destination \"" + destination + "\"",
                    "", "The table hydra_export.models lists the models.");
  }
  return to_model(rows[0], usual_hour);
}

bool insert_model(const Model& model) {
  const pg::Rows rows = pg::query(
      "INSERT INTO hydra_export.models (destination, name, relation, changed_by,"
      " updated_at_column, key_columns, columns, look_back, full_every_hours, added_by, problem)"
      " VALUES ($1, $2, $3::oid, $4, $5, $6::name[], $7::name[], $8::interval, $9::integer,"
      " $10::oid, NULL) ON CONFLICT (destination, name) DO NOTHING RETURNING id",
      to_parameters(model));
  return !rows.empty();
}

void update_model(const Model& model) {
  pg::query(
      "UPDATE hydra_export.models SET relation = $3::oid, changed_by = $4, updated_at_column = $5,"
      " key_columns = $6::name[], columns = $7::name[], look_back = $8::interval,"
      " full_every_hours = $9::integer, added_by = $10::oid"
      " WHERE destination = $1 AND name = $2",
      to_parameters(model));
}

void let_go_of_dropped(const std::string& destination) {
  const pg::Rows dropped = pg::query(
      "SELECT m.id, EXISTS (SELECT FROM pg_class c WHERE c.oid = m.relation)"
      " FROM hydra_export.models m WHERE m.destination = $1 AND m.problem IS NULL"
      " AND (NOT EXISTS (SELECT FROM pg_class c WHERE c.oid = m.relation)"
      "   OR NOT EXISTS (SELECT FROM pg_roles r WHERE r.oid = m.added_by))",
      {destination});
  // An UPDATE, even of no row, would make the schedule visit this database.
  for (const Row& row : dropped) {
    pg::query(
        "UPDATE hydra_export.models SET relation = NULL, added_by = NULL, problem = $2"
        " WHERE id = $1::integer",
        {row[0], pg::to_bool(row[1]) ? "the role that added it no longer exists" : table_dropped});
  }
}

bool has_problems(const std::string& destination) {
  return pg::to_bool(
      pg::query("SELECT EXISTS (SELECT FROM hydra_export.models WHERE destination = $1"
                " AND problem IS NOT NULL)",
                {destination})[0][0]);
}

std::vector<Model> resolve_restored(const std::string& destination) {
  pg::query(look_for_restored, {destination});
  // Before 0.2.0, dumps contained the OID of a dropped table, which here may be another table's.
  pg::query(
      "UPDATE hydra_export.models SET relation = NULL, added_by = NULL, problem ="
      " 'a dump of version 0.1.0 names ' || relation::text || ', perhaps by an OID that another"
      " table has here' WHERE destination = $1 AND problem IS NOT NULL AND relation IS NOT NULL",
      {destination});
  std::vector<Model> models;
  for (const Row& row :
       pg::query(select_models + " AND m.problem IS NOT NULL ORDER BY m.name", {destination})) {
    models.push_back(to_model(row, usual_hour));
  }
  return models;
}

bool was_exported(const std::string& destination, const std::optional<std::string>& name) {
  return pg::to_bool(
      pg::query("SELECT EXISTS (SELECT FROM hydra_export.models m"
                " JOIN hydra_export.model_state s ON s.model_id = m.id WHERE m.destination = $1"
                " AND m.name = coalesce($2, m.name) AND s.export_id IS NOT NULL)",
                {destination, name})[0][0]);
}

void reset_models(const std::string& destination, const std::optional<std::string>& name) {
  pg::query(
      "WITH reset AS (UPDATE hydra_export.models SET generation = generation + 1"
      " WHERE destination = $1 AND name = coalesce($2, name) RETURNING id)"
      " DELETE FROM hydra_export.baselines WHERE model_id IN (SELECT id FROM reset)",
      {destination, name});
}

void remove_models(const std::string& destination, const std::optional<std::string>& name) {
  const std::string which = " WHERE destination = $1 AND name = coalesce($2, name)";
  const std::string ids = "(SELECT id FROM hydra_export.models" + which + ")";
  // Waits for an export that is recording its success, so that its rows are deleted as well.
  pg::query("SELECT FROM hydra_export.models" + which + " FOR UPDATE", {destination, name});
  for (const char* table : {"baselines", "model_state"}) {
    pg::query(std::string("DELETE FROM hydra_export.") + table + " WHERE model_id IN " + ids,
              {destination, name});
  }
  pg::query("DELETE FROM hydra_export.models" + which, {destination, name});
}

bool save_success(const Model& model, const std::vector<Baseline>& baselines,
                  const Success& success) {
  const Text id = pg::text(model.id);
  // Waits for changes that are not committed yet: their own deletion of baselines cannot see those
  // that are inserted here.
  const pg::Rows unchanged = pg::query(
      "SELECT FROM hydra_export.models WHERE id = $1::integer AND generation = $2::bigint"
      " FOR SHARE",
      {id, pg::text(model.generation)});
  if (unchanged.empty()) return false;
  pg::query("DELETE FROM hydra_export.baselines WHERE model_id = $1::integer", {id});
  for (const Baseline& baseline : baselines) {
    pg::query(
        "INSERT INTO hydra_export.baselines (model_id, relation, snapshot, cursor, lsn,"
        " fingerprint, system_identifier, timeline, file_number, wal_map, wal_floor,"
        " relation_name, condition, empty) VALUES"
        " ($1::integer, $2::oid, $3::pg_snapshot, $4::timestamptz, $5::pg_lsn, $6::jsonb,"
        " $7::bigint, $8::integer, $9::oid, '0/0'::pg_lsn + $10::numeric,"
        " '0/0'::pg_lsn + $11::numeric, $12, $13, $14::boolean)",
        {id, pg::text(baseline.relation), baseline.snapshot, baseline.cursor, baseline.lsn,
         baseline.fingerprint, pg::text(baseline.system_identifier), pg::text(baseline.timeline),
         pg::text(baseline.file_number), pg::text(baseline.wal_map), pg::text(baseline.wal_floor),
         pg::text_or_null(baseline.relation_name), pg::text_or_null(baseline.condition),
         pg::text(baseline.empty)});
  }
  pg::query(
      "UPDATE hydra_export.model_state SET export_id = $2::bigint, folder = $3,"
      " full_at = CASE WHEN $4::boolean THEN attempted_at ELSE full_at END, relation_name = $5,"
      " full_next = $6"
      " WHERE model_id = $1::integer",
      {id, pg::text(success.export_id), success.folder, pg::text(success.full),
       success.relation_name, pg::text_or_null(success.full_next)});
  return true;
}

}  // namespace hydra::tables
