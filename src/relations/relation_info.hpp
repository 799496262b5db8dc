// A relation's description from the system catalogs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "pg/postgres.hpp"

namespace hydra::relations {

struct Column {
  std::string name;
  int number = 0;
  Oid type = 0;
  Oid collation = 0;
  bool not_null = false;
  bool computed_when_read = false;  // a virtual generated column
  std::string type_name;            // "numeric(12,2)"
};

struct RelationInfo {
  Oid oid = 0;
  Oid owner = 0;
  std::string schema, table;
  std::string name;  // for messages: schema.table, quoted as in SQL
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

// nullopt if there is no such relation.
std::optional<RelationInfo> describe_relation(Oid oid);

// Whether parallel workers can write and compare values of these columns: all functions of their
// types, and of types inside these, are PARALLEL SAFE.
bool is_parallel_safe(const std::vector<Column>& columns);

}  // namespace hydra::relations
