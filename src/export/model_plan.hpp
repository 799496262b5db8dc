// The plan for one model in one export: which tables are read, which of their rows, and why.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "change/export_snapshot.hpp"
#include "change/wal_changes.hpp"
#include "relations/relation_info.hpp"
#include "tables/model.hpp"

namespace hydra::exporting {

using Oid = ::Oid;

// A lower bound for the updated_at column; rows in which it is NULL always pass.
struct UpdatedSince {
  std::string condition;   // in SQL
  int number = 0;          // of the column in the table
  bool is_date = false;    // else a timestamp, with or without time zone
  std::int64_t bound = 0;  // as the server stores dates and timestamps
};

// One table that contains rows of the model: itself, a leaf partition, or an inheritance child.
struct Leaf {
  Oid relation = 0;
  Oid owner = 0;  // the role as which its rows are read
  char kind = 'r';
  std::string name;                        // as messages show it
  std::string qualified_name;              // for SQL
  std::vector<relations::Column> columns;  // the model's exported columns, as this table has them
  std::string fingerprint;
  std::string condition;    // of a partition, see relations/partition_condition.hpp
  Oid updated_at_type = 0;  // of the model's updated_at column; 0 in xmin mode
  int updated_at_number = 0;
  // Rows whose writer this snapshot saw are skipped; nothing = every row is exported.
  std::optional<change::XidSnapshot> baseline;
  // Rows whose updated_at is older are skipped; nothing = the column is not used.
  std::optional<UpdatedSince> updated_since;
  bool may_query = true;   // a query by its owner would return all its rows
  bool has_index = false;  // on updated_at, so that the planner can use it
  bool has_xmin = true;
  std::string reason;  // why every row is read; '' if not every row is
  // The baseline's WAL positions; nothing if they cannot be used, and why.
  change::WalBaseline wal;
  std::string whole_table_reason;
  // The blocks that changed since the baseline's floor, if WAL was read.
  std::optional<change::WalChanges::Blocks> changed;
  Oid file_number = 0;
  bool logged = true;  // changes are WAL-logged

  bool is_full() const { return !reason.empty(); }
};

struct ModelPlan {
  relations::RelationInfo relation;
  std::vector<std::string> key;
  std::vector<relations::Column> columns;
  std::vector<Leaf> leaves;
  std::vector<Oid> family;             // the relation, and its partitions and children
  std::vector<Oid> sources;            // what a view reads
  std::vector<tables::Baseline> gone;  // tables that the model had, and has no more
  // Rows may have moved between tables, with the times that they had: a table is gone, or a
  // partition has other bounds.
  bool moved = false;
  std::string detached;      // partitions that are being detached
  std::string renamed_from;  // a name that another relation has now; '' if none
  bool numbered = false;     // no index enforces the key, so object names need a number
  bool apart = false;        // rows of several tables may have the same key
  std::vector<std::string> definition_versions;  // before the first line was written
  bool full = true;
  std::string reason;

  const char* kind() const { return full ? "full" : "incremental"; }
};

enum class Patience { lock_timeout, none };

// Locks the model's tables (AccessShare, until the subtransaction ends), waiting up to
// hydra_export.lock_timeout or not at all, and describes them. Throws if the model cannot be
// exported.
ModelPlan lock_model(const tables::Model& model, Patience patience = Patience::lock_timeout);

// Whether the snapshot shows the rows of the locked tables. It does not if a table was created,
// rewritten or truncated after it was taken, nor if tables were added or removed, because rows may
// have moved between tables (ATTACH PARTITION does not wait for readers).
bool fits(const ModelPlan& plan, Snapshot snapshot);

// Throws if a type, cast or function that lines depend on was changed since the model was locked,
// because the lines may then have either form.
void check_definitions(const ModelPlan& plan);

// Decides which rows are read. changes: up to the end of WAL when the export's snapshot was taken.
void choose_rows(ModelPlan& plan, const tables::Model& model, const change::ExportSnapshot& current,
                 const change::WalChanges& changes = {});

}  // namespace hydra::exporting
