// What the server's catalogs say about a relation, and whether a model of it makes sense.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/model.hpp"
#include "pg/error.hpp"

namespace hydra::catalog {

struct Column {
  std::string name;
  int number = 0;
  Oid type = 0;
  Oid collation = 0;
  bool not_null = false;
  bool computed_when_read = false;  // a virtual generated column
  std::string type_name;            // "numeric(12,2)"
};

struct Relation {
  Oid oid = 0;
  std::string schema, table;
  std::string name;  // as messages show it: schema.table, quoted where SQL needs it
  char kind = 'r';   // pg_class.relkind
  char persistence = 'p';
  bool heap = false;
  Oid file_number = 0;
  bool populated = true;
  std::vector<Column> columns;
  std::vector<std::string> primary_key;
  bool has_children = false;  // inheritance, not partitions

  const Column* column(const std::string& name) const;
  // Views and foreign tables: rows have no xmin, and nothing enforces a key.
  bool is_remote() const { return kind == 'v' || kind == 'f'; }
};

// nullopt when there is no such relation.
std::optional<Relation> describe_relation(Oid oid);

// What to throw when the model's relation is not there any more.
pg::Error no_relation(const Model& model);

// The key's columns: those the model names, or the primary key's. Throws when there is neither.
std::vector<std::string> key_of(const Model& model, const Relation& relation);

// The exported columns: those the model names, in the table's order, or all.
std::vector<Column> columns_of(const Model& model, const Relation& relation);

// Whether values of these columns can be written and compared by parallel workers: what their types
// run, inner ones included, is all PARALLEL SAFE.
bool is_parallel_safe(const std::vector<Column>& columns);

// What keeps `role` from exporting the model: no right to read its columns, or row security.
std::optional<pg::Error> rights_problem(const Model& model, const Relation& relation, Oid role);

// Throws pg::Error, with a hint, when a model of this relation cannot be exported with the rights
// of `role`: wrong kind of relation, no fit key, no such column, no right to read it, row security.
void check_model(const Model& model, const Relation& relation, Oid role);

}  // namespace hydra::catalog
