// What a relation needs to be exported as a model says.
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

// What to throw when the model's relation is not there (any more), or nobody knows which it is.
pg::Error no_relation(const Model& model);

// The key's columns: those the model names, or the primary key's. Throws when there is neither.
std::vector<std::string> key_of(const Model& model, const RelationInfo& relation);

// The exported columns: those the model names, in the table's order, or all.
std::vector<Column> columns_of(const Model& model, const RelationInfo& relation);

// Throws pg::Error, with a hint, when a model of this relation cannot be exported with the rights
// of `role`: wrong kind of relation, no fit key, no such column, no right to read it, row security.
void check_model(const Model& model, const RelationInfo& relation, Oid role);

}  // namespace hydra::relations
