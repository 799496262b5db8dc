// Rows of hydra_export.models, model_state and baselines as structs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hydra::tables {

using Oid = unsigned int;

enum class ChangedBy { xmin, updated_at };

// What a model's last successful export recorded for one table that contains its rows
// (doc/design.md, "Which rows changed").
struct Baseline {
  Oid relation = 0;
  std::string snapshot;  // a pg_snapshot's text
  std::string cursor;    // a timestamptz's text
  std::string lsn;       // a pg_lsn's text
  std::string fingerprint;
  std::int64_t system_identifier = 0;
  std::int64_t timeline = 0;
  Oid file_number = 0;       // of the file that contained the rows
  std::int64_t wal_map = 0;  // WAL positions, see change::WalBaseline
  std::int64_t wal_floor = 0;
  std::string relation_name;  // '' where it is not known
  std::string condition;      // of a partition, see relations/partition_condition.hpp
  bool empty = false;         // it had no block
};

// The problem of a model whose table was dropped in this database.
inline constexpr const char* table_dropped = "the table no longer exists";

struct Model {
  std::string destination, name;
  Oid relation = 0;           // 0 if there is a problem
  std::string relation_name;  // for messages, also if the relation does not exist
  // why it cannot be exported, as hydra_export.models shows it; '' if it can
  std::string problem;
  bool restored = false;  // a dump names its table and role, and they were not found yet
  ChangedBy changed_by = ChangedBy::xmin;
  std::string updated_at_column;         // '' in xmin mode
  std::vector<std::string> key_columns;  // empty for the primary key
  std::vector<std::string> columns;      // empty for all
  std::string look_back = "01:00:00";    // an interval's text
  std::optional<int> full_every_hours;
  Oid added_by = 0;  // 0 if there is a problem
  std::int64_t generation = 1;
  int id = 0;
  // The last successful export.
  std::optional<std::int64_t> previous_export_id;
  std::string previous_folder;  // '' if none
  std::string previous_relation_name;
  bool full_due = false;     // full_every_hours have passed since the last full export
  std::string full_because;  // why the next export has to be full; '' if it need not be
  bool unfinished = false;   // an export since then may have sent rows, but did not succeed
  std::vector<Baseline> baselines;

  const Baseline* baseline_of(Oid leaf) const;
};

// Call all of these in a transaction, as the extension's owner. seconds_per_hour: how long an hour
// of full_every_hours lasts.
std::vector<Model> load_models(const std::string& destination, int seconds_per_hour);

// A model that is going to be changed or removed: other sessions that want to wait until the
// transaction ends. Throws pg::Error if there is none.
Model hold_model(const std::string& destination, const std::string& name);

// False if the destination has a model of that name, possibly one added concurrently.
bool insert_model(const Model& model);
void update_model(const Model& model);

// Clears the OIDs of models whose table or role was dropped: the server may assign the same OID
// again, and the new object must not be exported in place of the old one.
void let_go_of_dropped(const std::string& destination);

// Whether one of its models is known to have a problem.
bool has_problems(const std::string& destination);

// Looks up the tables and roles that models from a dump name, and updates their problems; a model
// has none if both were found. Returns the models that have one.
std::vector<Model> resolve_restored(const std::string& destination);

// Whether the model, or any of the destination, was ever exported successfully.
bool was_exported(const std::string& destination, const std::optional<std::string>& name);

// Makes the model's next export a full one, even if an export is running now.
void reset_models(const std::string& destination, const std::optional<std::string>& name);

// Removes one model of a destination, or all, with their state.
void remove_models(const std::string& destination, const std::optional<std::string>& name);

// An export in which a model succeeded.
struct Success {
  std::int64_t export_id = 0;
  std::string folder;
  std::string relation_name;  // at that time
  bool full = false;
  std::string full_next;  // why the next export has to be full; '' where it has not
};

// Replaces the baselines, unless the model was removed, reset or altered since `model` was loaded
// (then false, and nothing is changed). Baselines in `model` for leaves that are not in `baselines`
// are deleted.
bool save_success(const Model& model, const std::vector<Baseline>& baselines,
                  const Success& success);

}  // namespace hydra::tables
