// What one export does with one model: which tables it reads, which of their rows, and why.
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

// A bound for the updated_at column; rows in which it is NULL are always within.
struct UpdatedSince {
  std::string condition;   // in SQL
  int number = 0;          // of the column in the table
  bool is_date = false;    // else a timestamp, with or without time zone
  std::int64_t bound = 0;  // as the server stores dates and timestamps
};

// One table that holds rows of the model: itself, a leaf partition, an inheritance child.
struct Leaf {
  Oid relation = 0;
  Oid owner = 0;  // as which its rows are read
  char kind = 'r';
  std::string name;                        // as messages show it
  std::string qualified_name;              // for SQL
  std::vector<relations::Column> columns;  // the model's exported columns, as this table has them
  std::string fingerprint;
  Oid updated_at_type = 0;  // of the model's updated_at column; 0 in xmin mode
  int updated_at_number = 0;
  // Rows whose writer this saw are left out; nothing = every row is exported.
  std::optional<change::XidSnapshot> baseline;
  // Rows whose updated_at is older are left out; nothing = the column is not looked at.
  std::optional<UpdatedSince> updated_since;
  bool may_query = true;   // its owner would see all its rows by a query
  bool has_index = false;  // on that column, so that the planner finds the way to the rows
  bool has_xmin = true;
  std::string reason;  // why every row, '' when not
  // What the baseline knows of WAL; nothing where it cannot be used, and why.
  change::WalBaseline wal;
  std::string whole_table_reason;
  // The blocks that changed since the baseline's floor, where WAL was asked.
  std::optional<change::WalChanges::Blocks> changed;
  Oid file_number = 0;
  bool logged = true;  // changes are in WAL

  bool is_full() const { return !reason.empty(); }
};

struct ModelPlan {
  relations::RelationInfo relation;
  std::vector<std::string> key;
  std::vector<relations::Column> columns;
  std::vector<Leaf> leaves;
  std::vector<Oid> family;   // the relation, and those below it
  std::vector<Oid> sources;  // what a view reads
  std::string detached;      // partitions that are just being detached
  std::string renamed_from;  // a name that another relation has now; '' for none
  bool numbered = false;     // nothing enforces the key, so object names need a number
  bool apart = false;        // rows of several tables may have the same key
  std::vector<std::string> definition_versions;  // before the first line was written
  bool full = true;
  std::string reason;

  const char* kind() const { return full ? "full" : "incremental"; }
};

enum class Patience { lock_timeout, none };

// Locks the model's tables (AccessShare, within hydra_export.lock_timeout or at once, until the
// subtransaction ends) and describes them. Throws when the model cannot be exported.
ModelPlan lock_model(const tables::Model& model, Patience patience = Patience::lock_timeout);

// Whether the snapshot shows the rows of the locked tables. It does not where a table was rewritten
// or truncated after it was taken, or is newer; nor where rows may have moved between tables, as
// one of them came or went (ATTACH PARTITION waits for no reader).
bool fits(const ModelPlan& plan, Snapshot snapshot);

// Throws when a type, cast or function that lines depend on was changed since the model was locked:
// lines may show either form.
void check_definitions(const ModelPlan& plan);

// Decides which rows are read. changes: up to where WAL stood when the export's snapshot was
// taken.
void choose_rows(ModelPlan& plan, const tables::Model& model, const change::ExportSnapshot& current,
                 const change::WalChanges& changes = {});

}  // namespace hydra::exporting
