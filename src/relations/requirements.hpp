// The requirements that a relation must meet to be exported as a model.
#pragma once

#include <string>
#include <vector>

#include "pg/error.hpp"
#include "relations/relation_info.hpp"
#include "tables/model.hpp"

namespace hydra::relations {

using tables::Model;

// The call that removes the model, for hints.
std::string removal_of(const Model& model);

// The error if the model's relation does not exist (any more), or is not known.
pg::Error no_relation(const Model& model);

// The key's columns: those that the model names, or the primary key's. Throws if there are none.
std::vector<std::string> key_of(const Model& model, const RelationInfo& relation);

// The exported columns: those that the model names, in the table's order, or all.
std::vector<Column> columns_of(const Model& model, const RelationInfo& relation);

// Throws pg::Error, with a hint, if a model of this relation cannot be exported with the privileges
// of `role`: wrong kind of relation, no suitable key, a missing column, no SELECT privilege, row
// security.
void check_model(const Model& model, const RelationInfo& relation, Oid role);

}  // namespace hydra::relations
