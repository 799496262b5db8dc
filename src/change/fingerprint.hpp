// What the JSON of an unchanged row depends on, besides the row.
#pragma once

#include <string>
#include <vector>

#include "change/xid_snapshot.hpp"
#include "pg/postgres.hpp"

namespace hydra::change {

// A JSON object: per exported column its number, type, missing value and generation expression;
// the key's columns; enum labels and attributes of composite types. Taken while the table is
// locked.
std::string take_fingerprint(Oid relation, const std::vector<std::string>& columns,
                             const std::vector<std::string>& key_columns);

// The versions, sorted, of the catalog rows that say how values of enum and composite types are
// written: one an enum's label, one a composite. DDL on types does not wait for those who read
// tables, so what was renamed, and renamed back, while a table was read is told by this alone.
std::vector<std::string> type_versions(Oid relation, const std::vector<std::string>& columns);

// Whether rows that did not change look as they did. Columns that are gone, columns added without
// a value for old rows, and labels added to an enum leave them as they were.
bool same_rows(const std::string& before, const std::string& now);

// Whether there are columns that there were not.
bool has_new_columns(const std::string& before, const std::string& now);

// Whether what the fingerprint describes was touched since a baseline, even if it is again what it
// was. Errs towards yes.
bool was_redefined(Oid relation, const XidSnapshot& baseline);

}  // namespace hydra::change
