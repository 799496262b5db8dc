// What the JSON of an unchanged row depends on, besides the row (doc/design.md, "What lines look
// like").
#pragma once

#include <string>
#include <vector>

#include "change/xid_snapshot.hpp"
#include "pg/postgres.hpp"

namespace hydra::change {

// A relation that holds rows of a model, as far as lines depend on it.
struct LineSource {
  Oid relation = 0;
  std::vector<std::string> columns;  // the exported ones
  std::vector<Oid> sources;          // the relations that it reads, where it is a view
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
// Not in it, as nothing in the catalogs tells: what functions written in a procedural language call
// or read, and names that values of reg* types stand for.
std::string take_fingerprint(const LineSource& source, const std::vector<std::string>& key_columns);

// The versions, sorted, of the catalog rows that say how lines are written, but for those that the
// relation's lock protects. DDL on types, casts and functions does not wait for those who read
// tables, so what was changed, and changed back, while a table was read is told by this alone.
std::vector<std::string> definition_versions(const LineSource& source);

// Whether rows that did not change look as they did. Columns that are gone, columns added to a heap
// without a value for old rows, and labels added to an enum leave them as they were.
bool same_rows(const std::string& before, const std::string& now);

// Whether there are columns that there were not.
bool has_new_columns(const std::string& before, const std::string& now);

// Whether what the fingerprint describes was touched since a baseline, even if it is again what it
// was. Errs towards yes.
bool was_redefined(const LineSource& source, const XidSnapshot& baseline);

}  // namespace hydra::change
