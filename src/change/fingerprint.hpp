// What the JSON of an unchanged row depends on, apart from the row (doc/design.md, "What lines look
// like").
#pragma once

#include <string>
#include <vector>

#include "change/xid_snapshot.hpp"
#include "pg/postgres.hpp"

namespace hydra::change {

// The parts of a relation with rows of a model that lines depend on.
struct LineSource {
  Oid relation = 0;
  std::vector<std::string> columns;  // the exported ones
  std::vector<Oid> sources;          // the relations that it reads, if it is a view
};

// A JSON object, taken while the relation is locked:
// - `columns`: of each exported column the number, type, modifier, missing value and generation
//   expression; `width`: the number of the last column that a heap has ever had; `key`: the names
//   of the key's columns
// - `labels` of enums, `composites`: attributes of composite types and row types, `casts` to json:
//   of all types within the exported columns, and of a view's sources
// - `definitions`: a hash for each thing that computes a line: output functions and casts of those
//   types, and of a view, foreign table or virtual generated column its query, what the query
//   calls, and the options of foreign tables and servers
// Not included, because the catalogs do not show it: what functions in a procedural language call
// or read, and the names to which values of reg* types refer.
std::string take_fingerprint(const LineSource& source, const std::vector<std::string>& key_columns);

// The versions, sorted, of the catalog rows that determine how lines are written, except those that
// the relation's lock protects. DDL on types, casts and functions does not wait for readers of
// tables, so only this shows a change that is made and reverted while a table is read.
std::vector<std::string> definition_versions(const LineSource& source);

// Whether the lines of unchanged rows are still the same. Dropped columns, columns added to a heap
// without a value for old rows, and labels added to an enum do not change them.
bool same_rows(const std::string& before, const std::string& now);

// Whether there are columns that did not exist before.
bool has_new_columns(const std::string& before, const std::string& now);

// Whether anything that the fingerprint describes was written since a baseline, even if it is the
// same again. May return true without need, never false by mistake.
bool was_redefined(const LineSource& source, const XidSnapshot& baseline);

}  // namespace hydra::change
