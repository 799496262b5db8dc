#include "export/model_plan.hpp"

#include <algorithm>

#include "change/fingerprint.hpp"
#include "pg/compat.hpp"
#include "pg/guc.hpp"
#include "pg/spi.hpp"
#include "relations/family.hpp"
#include "relations/partition_condition.hpp"
#include "relations/requirements.hpp"
#include "relations/rights.hpp"
#include "relations/rows_elsewhere.hpp"

namespace hydra::exporting {
namespace {

using pg::Error;
using relations::RelationInfo;
using tables::ChangedBy;
using tables::Model;

std::string holders_of(Oid relation) {
  const pg::Text pids = pg::query(
      "SELECT string_agg(DISTINCT pid::text, ', ') FROM pg_locks WHERE locktype = 'relation'"
      " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
      " AND relation = $1::oid AND granted AND mode = 'AccessExclusiveLock'",
      {pg::text(relation)})[0][0];
  return pids ? "It is locked by process " + *pids + "." : "";
}

// A failed wait makes the subtransaction unusable, so the lock's holders are looked up before the
// wait. A process that takes the lock in between is not named in the error.
void lock_table(Oid relation, const std::string& name, Patience patience) {
  const bool locked =
      pg::call([=]() noexcept { return ConditionalLockRelationOid(relation, AccessShareLock); });
  if (locked) return;
  const std::string holders = holders_of(relation);
  if (patience == Patience::none) {
    throw Error(ERRCODE_LOCK_NOT_AVAILABLE, name + " is locked", holders);
  }
  try {
    pg::call([=]() noexcept { LockRelationOid(relation, AccessShareLock); });
  } catch (const Error& error) {
    if (error.sqlstate() != ERRCODE_LOCK_NOT_AVAILABLE) throw;
    throw Error(ERRCODE_LOCK_NOT_AVAILABLE,
                "could not lock " + name + " within hydra_export.lock_timeout (" +
                    std::to_string(pg::guc::lock_timeout) + " ms)",
                holders);
  }
}

// A leaf may have the model's columns at other positions than its parent.
std::vector<relations::Column> same_columns(const RelationInfo& leaf,
                                            const std::vector<relations::Column>& wanted) {
  std::vector<relations::Column> columns;
  for (const relations::Column& column : wanted) {
    const relations::Column* found = leaf.column(column.name);
    if (found == nullptr) {
      throw Error(ERRCODE_UNDEFINED_COLUMN,
                  "column \"" + column.name + "\" of " + leaf.name + " does not exist");
    }
    columns.push_back(*found);
  }
  return columns;
}

std::vector<std::string> names_of(const std::vector<relations::Column>& columns) {
  std::vector<std::string> names;
  for (const relations::Column& column : columns)
    names.push_back(column.name);
  return names;
}

// If another relation now has the name that the model's relation had, the user may mean that one.
std::string renamed_from(const Model& model, const RelationInfo& relation) {
  const std::string& before = model.previous_relation_name;
  if (before.empty() || before == relation.name) return "";
  const bool taken = pg::to_bool(pg::query("SELECT to_regclass($1) IS NOT NULL", {before})[0][0]);
  return taken ? before : "";
}

change::LineSource line_source(const ModelPlan& plan, Oid relation) {
  return {relation, names_of(plan.columns), plan.sources};
}

Leaf describe_leaf(const RelationInfo& relation, const ModelPlan& plan, const Model& model) {
  Leaf leaf;
  relations::check_leaf_rights(relation, model.added_by);
  relations::check_rows_in_heap(relation);
  leaf.relation = relation.oid;
  leaf.owner = relation.owner;
  leaf.may_query = model.changed_by != ChangedBy::updated_at || relations::may_query(relation);
  leaf.kind = relation.kind;
  leaf.name = relation.name;
  leaf.qualified_name =
      pg::quote_identifier(relation.schema) + "." + pg::quote_identifier(relation.table);
  leaf.columns = same_columns(relation, plan.columns);
  leaf.has_xmin = relation.heap;
  leaf.file_number = relation.file_number;
  leaf.logged = relation.persistence == 'p';
  if (plan.relation.kind == 'p')
    leaf.condition = relations::partition_condition(relation.oid, leaf.columns);
  if (!leaf.has_xmin && model.changed_by == ChangedBy::xmin) {
    throw Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                "changed rows of " + relation.name + " cannot be found by xmin", "",
                "Use changed_by => 'updated_at'.");
  }
  if (const relations::Column* column = relation.column(model.updated_at_column)) {
    leaf.updated_at_type = pg::call([=]() noexcept { return getBaseType(column->type); });
    leaf.updated_at_number = column->number;
  }
  std::vector<std::string> key = plan.key;
  if (plan.apart) key.push_back("(table)");
  leaf.fingerprint = change::take_fingerprint(line_source(plan, leaf.relation), key);
  return leaf;
}

// Which files hold the rows, and which rows the partitions may hold.
std::string places_of_rows(const ModelPlan& plan, Snapshot snapshot) {
  static const std::string sql =
      "SELECT string_agg(concat_ws(':', c.oid, c.relfilenode, i.inhparent,"
      " md5(c.relpartbound::text)), ',' ORDER BY c.oid, i.inhparent) FROM pg_class c"
      " LEFT JOIN pg_inherits i ON i.inhrelid = c.oid WHERE c.oid = ANY ($1::oid[])";
  std::vector<Oid> oids = plan.sources;
  oids.insert(oids.end(), plan.family.begin(), plan.family.end());
  const std::vector<pg::Text> parameters = {relations::oid_array(oids)};
  const pg::Rows rows =
      snapshot != nullptr ? pg::query_at(snapshot, sql, parameters) : pg::query(sql, parameters);
  return pg::or_empty(rows[0][0]);
}

bool was_redefined(const ModelPlan& plan, const Leaf& leaf, const change::XidSnapshot& snapshot) {
  return change::was_redefined(line_source(plan, leaf.relation), snapshot);
}

std::string name_of(const tables::Baseline& baseline) {
  return baseline.relation_name.empty() ? "a table" : baseline.relation_name;
}

// The tables that the model had at its baselines, and has no more.
std::vector<tables::Baseline> gone_from(const ModelPlan& plan, const Model& model) {
  std::vector<tables::Baseline> gone;
  for (const tables::Baseline& baseline : model.baselines) {
    const bool is_here = std::any_of(plan.leaves.begin(), plan.leaves.end(), [&](const Leaf& leaf) {
      return leaf.relation == baseline.relation;
    });
    if (!is_here) gone.push_back(baseline);
  }
  return gone;
}

// See ModelPlan::moved.
bool may_have_moved(const ModelPlan& plan, const Model& model) {
  return !plan.gone.empty() ||
         std::any_of(plan.leaves.begin(), plan.leaves.end(), [&](const Leaf& leaf) {
           const tables::Baseline* before = model.baseline_of(leaf.relation);
           return before != nullptr && before->condition != leaf.condition;
         });
}

// Why every row of the leaf must be exported; '' if its baseline can be used.
std::string full_reason(const Leaf& leaf, const ModelPlan& plan, const Model& model,
                        const change::ExportSnapshot& current) {
  const tables::Baseline* baseline = model.baseline_of(leaf.relation);
  if (baseline == nullptr) {
    if (!model.previous_export_id) return "first export";
    return model.baselines.empty() ? "reset" : "new partition";
  }
  if (model.full_due) return "full_every_hours";
  if (!model.full_because.empty()) return model.full_because;
  for (const tables::Baseline& gone : plan.gone) {
    if (!plan.apart && gone.condition.empty())
      return name_of(gone) + " was dropped or detached, and no condition tells its rows";
  }
  // pg_upgrade makes a new cluster, with its own timeline, but keeps transaction ids.
  if (baseline->system_identifier == current.system_identifier() &&
      baseline->timeline != current.timeline() && pg::guc::after_failover == pg::guc::full) {
    return "promotion of a standby, or a restore";
  }
  if (!change::same_rows(baseline->fingerprint, leaf.fingerprint)) {
    return "columns, key, types or a definition changed";
  }
  const change::XidSnapshot snapshot = change::XidSnapshot::parse(baseline->snapshot);
  // For example by pg_resetwal, or by restoring a disk snapshot.
  if (current.next_xid() < snapshot.xmax()) return "transaction ids went back";
  if (baseline->system_identifier == current.system_identifier() &&
      baseline->timeline == current.timeline() &&
      static_cast<change::Lsn>(baseline->wal_map) > current.wal().map_position) {
    return "WAL went back";
  }
  // A rewrite stores the default of an added column in all rows, with their old xmin, and the
  // fingerprint no longer contains it. If ADD COLUMN itself rewrites the table, it does not set
  // updated_at.
  if (baseline->file_number != leaf.file_number &&
      change::has_new_columns(baseline->fingerprint, leaf.fingerprint)) {
    return "columns added, and the table rewritten";
  }
  // ALTER TABLE ... TYPE ... USING computes new values, but does not set updated_at.
  const bool rewritten = baseline->file_number != leaf.file_number;
  if (model.changed_by == ChangedBy::updated_at && rewritten && was_redefined(plan, leaf, snapshot))
    return "the table rewritten, and its columns redefined";
  // Lines of an export that did not succeed may show the rows in an intermediate form.
  if (model.unfinished && was_redefined(plan, leaf, snapshot)) {
    return "columns or types changed around an export that failed";
  }
  if (leaf.has_xmin && current.next_xid() - snapshot.xmin() >= change::widening_limit) {
    return "more than 2^31 transactions since the previous export";
  }
  return "";
}

// Why WAL positions do not tell which blocks changed; '' if they do.
std::string whole_table_reason(const Leaf& leaf, const tables::Baseline& baseline,
                               const change::ExportSnapshot& current) {
  if (!leaf.logged) return "unlogged";
  if (baseline.system_identifier != current.system_identifier()) return "another cluster";
  if (baseline.timeline != current.timeline()) return "another timeline";
  if (baseline.file_number != leaf.file_number) return "relation rewritten";
  if (baseline.wal_floor == 0) return "no earlier WAL position is known";
  return "";
}

// Whether an index begins with the column, so that a range scan is possible.
bool has_index(const Leaf& leaf, int column) {
  return pg::to_bool(pg::query(
      "SELECT EXISTS (SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
      " JOIN pg_am a ON a.oid = c.relam WHERE i.indrelid = $1::oid AND i.indkey[0] = $2::smallint"
      " AND i.indisvalid AND i.indpred IS NULL AND a.amname IN ('btree', 'brin'))",
      {pg::text(leaf.relation), pg::text(column)})[0][0]);
}

// The cursor minus the look-back, as SQL of the column's type. For a column without time zone, the
// zone is unknown, but within 26 hours of UTC. At least a minute is subtracted, because now(), the
// start of a statement, is earlier than the moment at which its transaction becomes visible.
std::string bound_expression(const char* type) {
  const bool has_zone = type == std::string_view("timestamptz");
  return std::string("(($1::timestamptz - greatest($2::interval, interval '1 minute'))") +
         (has_zone ? "" : " AT TIME ZONE 'UTC' - interval '26 hours'") + ")::" + type;
}

// The condition that updated_at is not older than the baseline's cursor; nothing if there is no
// cursor.
std::optional<UpdatedSince> updated_since(Leaf& leaf, const Model& model) {
  const char* type = leaf.updated_at_type == TIMESTAMPTZOID ? "timestamptz"
                     : leaf.updated_at_type == DATEOID      ? "date"
                                                            : "timestamp";
  const std::vector<pg::Text> parameters = {model.baseline_of(leaf.relation)->cursor,
                                            model.look_back};
  const pg::Row found = pg::query("SELECT nullif(" + bound_expression(type) +
                                      ", '-infinity'), $1::timestamptz > clock_timestamp()",
                                  parameters)[0];
  // Since then, rows are written with times before the cursor.
  const bool went_back = pg::to_bool(found[1]);
  if (went_back && leaf.whole_table_reason.empty())
    leaf.whole_table_reason = "the clock was set back";
  const pg::Text& since = found[0];
  if (!since || went_back) return std::nullopt;
  const std::string name = pg::quote_identifier(model.updated_at_column);
  UpdatedSince bound;
  bound.condition =
      "(" + name + " >= " + pg::quote_literal(*since) + "::" + type + " OR " + name + " IS NULL)";
  bound.number = leaf.updated_at_number;
  bound.is_date = leaf.updated_at_type == DATEOID;
  const char* text = since->c_str();
  const bool is_date = bound.is_date;
  const bool has_zone = leaf.updated_at_type == TIMESTAMPTZOID;
  bound.bound = pg::call([=]() noexcept -> std::int64_t {
    const Datum input = CStringGetDatum(text);
    if (is_date) return DatumGetDateADT(DirectFunctionCall1(date_in, input));
    const Datum none = ObjectIdGetDatum(InvalidOid);
    return DatumGetInt64(has_zone
                             ? DirectFunctionCall3(timestamptz_in, input, none, Int32GetDatum(-1))
                             : DirectFunctionCall3(timestamp_in, input, none, Int32GetDatum(-1)));
  });
  return bound;
}

// Whether the snapshots alone decide, in updated_at mode as well. All of a table that was rewritten
// or emptied is read, so that it is known whether old rows are left.
bool without_times(const Leaf& leaf, const ModelPlan& plan, const Model& model) {
  if (!leaf.has_xmin) return false;
  return plan.moved || leaf.file_number != model.baseline_of(leaf.relation)->file_number;
}

void choose_rows_of(Leaf& leaf, const ModelPlan& plan, const Model& model,
                    const change::ExportSnapshot& current, const change::WalChanges& changes) {
  leaf.reason = full_reason(leaf, plan, model, current);
  if (leaf.is_full()) return;
  if (leaf.has_xmin) {
    const tables::Baseline& baseline = *model.baseline_of(leaf.relation);
    leaf.baseline = change::XidSnapshot::parse(baseline.snapshot);
    leaf.whole_table_reason = whole_table_reason(leaf, baseline, current);
    if (leaf.whole_table_reason.empty()) {
      leaf.wal = {static_cast<change::Lsn>(baseline.wal_map),
                  static_cast<change::Lsn>(baseline.wal_floor)};
      const auto* blocks = changes.find(leaf.file_number, leaf.wal.floor);
      if (blocks != nullptr) leaf.changed = *blocks;
    }
  }
  if (model.changed_by == ChangedBy::updated_at && !without_times(leaf, plan, model)) {
    leaf.updated_since = updated_since(leaf, model);
    leaf.has_index = leaf.may_query && has_index(leaf, leaf.updated_at_number);
  }
}

// In words, not all where there are many.
std::string names_of(const std::vector<tables::Baseline>& tables) {
  constexpr std::size_t most = 3;
  std::string names;
  for (std::size_t i = 0; i < std::min(tables.size(), most); ++i)
    names += (i == 0 ? "" : ", ") + name_of(tables[i]);
  if (tables.size() > most) names += " and " + std::to_string(tables.size() - most) + " more";
  return names;
}

void add_reason(ModelPlan& plan, const std::string& reason) {
  plan.reason += (plan.reason.empty() ? "" : "; ") + reason;
}

}  // namespace

ModelPlan lock_model(const Model& model, Patience patience) {
  const std::optional<std::string> name = pg::qualified_name(model.relation);
  if (name) lock_table(model.relation, *name, patience);
  const std::optional<RelationInfo> relation = relations::describe_relation(model.relation);
  if (!relation) throw relations::no_relation(model);
  relations::check_model(model, *relation, model.added_by);
  ModelPlan plan;
  plan.relation = *relation;
  plan.key = relations::key_of(model, *relation);
  plan.columns = relations::columns_of(model, *relation);
  if (relation->kind == 'v') plan.sources = relations::sources_of(model.relation);
  for (const Oid source : plan.sources)
    lock_table(source, pg::qualified_name(source).value_or("?"), patience);
  plan.definition_versions = change::definition_versions(line_source(plan, model.relation));
  plan.apart = relation->has_children;
  plan.numbered = relation->is_remote() || plan.apart;
  plan.family = relations::family_of(model.relation);
  for (const Oid member : plan.family) {
    if (member != model.relation)
      lock_table(member, pg::qualified_name(member).value_or("?"), patience);
    const std::optional<RelationInfo> described = relations::describe_relation(member);
    if (!described || described->kind == 'p') continue;
    if (described->kind == 'f') plan.numbered = true;
    plan.leaves.push_back(describe_leaf(*described, plan, model));
  }
  // Nothing keeps rows of other partitions out of a foreign table.
  const bool foreign = std::any_of(plan.leaves.begin(), plan.leaves.end(),
                                   [](const Leaf& leaf) { return leaf.kind == 'f'; });
  for (Leaf& leaf : plan.leaves) {
    if (foreign) leaf.condition.clear();
  }
  plan.renamed_from = renamed_from(model, *relation);
  if (relation->kind == 'p') plan.detached = relations::being_detached(plan.family);
  return plan;
}

bool fits(const ModelPlan& plan, Snapshot snapshot) {
  const Oid relation = plan.relation.oid;
  return places_of_rows(plan, snapshot) == places_of_rows(plan, nullptr) &&
         relations::family_of(relation, snapshot) == plan.family &&
         (plan.relation.kind != 'v' || relations::sources_of(relation, snapshot) == plan.sources);
}

void check_definitions(const ModelPlan& plan) {
  const std::vector<std::string>& before = plan.definition_versions;
  const auto now = change::definition_versions(line_source(plan, plan.relation.oid));
  // An added label changes no line.
  if (std::includes(now.begin(), now.end(), before.begin(), before.end())) return;
  throw Error(ERRCODE_OBJECT_IN_USE,
              "a type, cast or function that lines of " + plan.relation.name +
                  " depend on changed while it was read",
              "", "The model's rows come with the next export.");
}

void choose_rows(ModelPlan& plan, const Model& model, const change::ExportSnapshot& current,
                 const change::WalChanges& changes) {
  plan.full = !plan.leaves.empty() || !model.previous_export_id;
  plan.gone = gone_from(plan, model);
  plan.moved = may_have_moved(plan, model);
  std::size_t full = 0;
  for (Leaf& leaf : plan.leaves) {
    choose_rows_of(leaf, plan, model, current, changes);
    plan.full = plan.full && leaf.is_full();
    if (leaf.is_full() && full++ == 0) plan.reason = leaf.reason;
  }
  if (full > 0 && !plan.full) {
    plan.reason = std::to_string(full) + " of " + std::to_string(plan.leaves.size()) +
                  " tables in full: " + plan.reason;
  }
  for (const Leaf& leaf : plan.leaves) {
    if (leaf.is_full() || leaf.whole_table_reason.empty()) continue;
    add_reason(plan, "whole table read: " + leaf.whole_table_reason);
    break;
  }
  if (!plan.full && !plan.gone.empty()) add_reason(plan, "gone: " + names_of(plan.gone));
  if (!plan.detached.empty())
    add_reason(plan, "without " + plan.detached + ", which is being detached");
  if (plan.renamed_from.empty()) return;
  const std::string swapped = plan.relation.name + " was " + plan.renamed_from +
                              " at the previous export, and another table has that name now";
  add_reason(plan, swapped);
  pg::report(WARNING,
             Error(ERRCODE_WARNING, "hydra_export: model \"" + model.name + "\": " + swapped,
                   "The model continues to export " + plan.relation.name + ".",
                   "To export the other table, remove the model and add it again."));
}

}  // namespace hydra::exporting
