// Which roles may export a relation, and whose code runs when it is read.
//
// A relation is read as its owner (pg/untrusted_code.hpp), so code that belongs to it runs as the
// owner. The role that adds a model therefore lends it no privileges; only its SELECT privilege is
// checked.
#pragma once

#include "relations/relation_info.hpp"
#include "tables/model.hpp"

namespace hydra::relations {

// Throws pg::Error, with a hint, unless `role` may export the relation:
// - it may SELECT the exported columns, and row security does not apply to it;
// - for a view or foreign table, it also has the privileges of the owner, because what these return
//   depends on the role that reads them;
// - everything that a view reads, calls and computes with belongs to roles that have the privileges
//   of its owner.
void check_rights(const tables::Model& model, const RelationInfo& relation, Oid role);

// The same for a partition or child that contains rows of another relation's model.
void check_leaf_rights(const RelationInfo& leaf, Oid role);

// Whether a query by the table's owner returns all its rows and runs only code of that owner.
bool may_query(const RelationInfo& relation);

}  // namespace hydra::relations
