// Who may have a relation exported, and whose code runs when it is read.
//
// A relation is read as its owner (pg/untrusted_code.hpp): everything that it brings along is the
// owner's code. So the role that adds a model lends it no rights; its own right to read is checked.
#pragma once

#include "relations/relation_info.hpp"
#include "tables/model.hpp"

namespace hydra::relations {

// Throws pg::Error, with a hint, unless `role` may have the relation exported:
// - it may SELECT the exported columns, and row security does not apply to it;
// - of a view or foreign table, it has the rights of the owner, too: what these show depends on the
//   role that reads them;
// - all that a view reads, calls and computes with belongs to roles that have the rights of its
//   owner.
void check_rights(const tables::Model& model, const RelationInfo& relation, Oid role);

// The same for a table that holds rows of a model of another one (a partition, a child).
void check_leaf_rights(const RelationInfo& leaf, Oid role);

// Whether its owner sees all rows of a table by a query, in which only code of its owner's runs.
bool may_query(const RelationInfo& relation);

}  // namespace hydra::relations
