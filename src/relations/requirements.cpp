#include "relations/requirements.hpp"

#include <algorithm>

#include "pg/spi.hpp"
#include "relations/family.hpp"
#include "relations/rights.hpp"
#include "tables/call_of.hpp"

namespace hydra::relations {
namespace {

using pg::Error;
using pg::or_empty;
using tables::ChangedBy;
using tables::Model;

bool is_enforced(Oid relation, const std::vector<std::string>& key) {
  return pg::to_bool(
      pg::query("SELECT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = $1::oid AND i.indisunique"
                " AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL"
                " AND NOT EXISTS (SELECT FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k "
                "(number, place)"
                "   JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number"
                "   WHERE k.place <= i.indnkeyatts AND a.attname <> ALL ($2::name[])))",
                {pg::text(relation), pg::array_literal(key)})[0][0]);
}

// The name of the first relation, of the given one, its partitions and children, that meets the
// condition.
std::string find_member(Oid relation, const std::string& condition) {
  const pg::Rows rows = pg::query(
      "SELECT c.oid::regclass FROM pg_class c LEFT JOIN pg_am a ON a.oid = c.relam"
      " WHERE c.oid = ANY ($1::oid[]) AND " +
          condition + " ORDER BY c.oid LIMIT 1",
      {oid_array(family_of(relation))});
  return rows.empty() ? "" : or_empty(rows[0][0]);
}

bool has_foreign_leaf(const RelationInfo& relation) {
  return relation.kind == 'p' && !find_member(relation.oid, "c.relkind = 'f'").empty();
}

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names)
    text += (text.empty() ? "\"" : ", \"") + name + "\"";
  return text;
}

Error wrong_kind(const RelationInfo& relation, const std::string& what) {
  return Error(ERRCODE_WRONG_OBJECT_TYPE, "cannot export " + relation.name + ": it is " + what, "",
               "Tables, partitioned tables, materialized views, views and foreign tables can be "
               "exported.");
}

void check_kind(const RelationInfo& relation) {
  switch (relation.kind) {
    case 'r':
    case 'p':
    case 'm':
    case 'v':
    case 'f':
      break;
    case 'i':
    case 'I':
      throw wrong_kind(relation, "an index");
    case 'S':
      throw wrong_kind(relation, "a sequence");
    case 't':
      throw wrong_kind(relation, "a TOAST table");
    case 'c':
      throw wrong_kind(relation, "a composite type");
    default:
      throw wrong_kind(relation, "not a table");
  }
  if (relation.persistence == 't') throw wrong_kind(relation, "temporary");
  if (relation.schema == "pg_catalog" || relation.schema == "information_schema" ||
      relation.schema == "pg_toast") {
    throw wrong_kind(relation, "part of the system catalogs");
  }
  // They include secrets, which must not be readable.
  if (relation.schema == "hydra_export") throw wrong_kind(relation, "part of hydra_export itself");
  if (!relation.populated) {
    throw Error(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                "materialized view " + relation.name + " has not been populated", "",
                "Run REFRESH MATERIALIZED VIEW.");
  }
}

void check_change_detection(const Model& model, const RelationInfo& relation) {
  if (model.changed_by == ChangedBy::xmin) {
    const std::string without_xmin =
        find_member(relation.oid, "c.relkind <> 'p' AND a.amname IS DISTINCT FROM 'heap'");
    if (without_xmin.empty()) return;
    throw Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                "changed rows of " + relation.name + " cannot be found by xmin",
                "Rows of " + without_xmin +
                    " have no xmin: it is a view, a foreign table, or a table with an access "
                    "method other than heap.",
                "Use changed_by => 'updated_at'.");
  }
  const Column* column = relation.column(model.updated_at_column);
  if (column == nullptr) {
    throw Error(
        ERRCODE_UNDEFINED_COLUMN,
        "column \"" + model.updated_at_column + "\" of " + relation.name + " does not exist", "",
        "Name the column that every write sets with updated_at_column => '...'.");
  }
  const Oid type = pg::call([=]() noexcept { return getBaseType(column->type); });
  if (type != TIMESTAMPTZOID && type != TIMESTAMPOID && type != DATEOID) {
    throw Error(ERRCODE_DATATYPE_MISMATCH,
                "column \"" + column->name + "\" of " + relation.name +
                    " is neither a timestamp nor a date",
                "It has type " + column->type_name + ".",
                "Name the column that every write sets with updated_at_column => '...'.");
  }
}

void check_unique(Oid relation, const std::string& name, const std::vector<std::string>& key) {
  if (is_enforced(relation, key)) return;
  throw Error(ERRCODE_INVALID_PARAMETER_VALUE,
              "key columns " + list(key) + " of " + name + " are not unique",
              "There is no unique index on these columns, or on some of them.",
              "Choose the columns of a unique index, or create one.");
}

void check_key(const Model& model, const RelationInfo& relation) {
  const std::vector<std::string> key = key_of(model, relation);
  for (const std::string& name : key) {
    if (std::count(key.begin(), key.end(), name) > 1) {
      throw Error(ERRCODE_DUPLICATE_COLUMN, "key column \"" + name + "\" is named twice", "",
                  "Name each column once with key_columns => '{...}'.");
    }
    const Column* column = relation.column(name);
    if (column == nullptr) {
      throw Error(ERRCODE_UNDEFINED_COLUMN,
                  "key column \"" + name + "\" of " + relation.name + " does not exist", "",
                  "Name existing columns with key_columns => '{...}'.");
    }
    // Columns of views and materialized views are never marked as not null: there, a null is
    // detected when it is read.
    if ((relation.kind == 'r' || relation.kind == 'p') && !column->not_null) {
      throw Error(ERRCODE_INVALID_PARAMETER_VALUE,
                  "key column \"" + name + "\" of " + relation.name + " may be null", "",
                  "Choose columns that are NOT NULL, or add that constraint.");
    }
  }
  const bool vouched = relation.is_remote() || has_foreign_leaf(relation);
  if (vouched) return;
  if (!relation.has_children) return check_unique(relation.oid, relation.name, key);
  // Unique indexes are not inherited, and foreign tables cannot have any.
  for (const Oid member : family_of(relation.oid)) {
    const std::optional<RelationInfo> child = describe_relation(member);
    if (child && child->kind == 'r') check_unique(child->oid, child->name, key);
  }
}

void check_columns(const Model& model, const RelationInfo& relation) {
  for (const std::string& name : model.columns) {
    if (relation.column(name) != nullptr) continue;
    throw Error(ERRCODE_UNDEFINED_COLUMN,
                "column \"" + name + "\" of " + relation.name + " does not exist", "",
                "Name existing columns with columns => '{...}'.");
  }
  if (model.columns.empty()) return;
  for (const std::string& name : key_of(model, relation)) {
    if (std::find(model.columns.begin(), model.columns.end(), name) != model.columns.end()) {
      continue;
    }
    throw Error(ERRCODE_INVALID_PARAMETER_VALUE,
                "columns must include the key column \"" + name + "\"",
                "Without the key, readers could not tell which row a line belongs to.",
                "Add it to the columns.");
  }
}

}  // namespace

std::string removal_of(const Model& model) {
  return tables::call_of("remove_model", model.destination, pg::quote_literal(model.name));
}

Error no_relation(const Model& model) {
  const std::string addition = tables::call_of("add_model", model.destination);
  if (model.problem.empty() || model.problem == tables::table_dropped) {
    return Error(
        ERRCODE_UNDEFINED_TABLE, "the table of model \"" + model.name + "\" no longer exists", "",
        "Remove the model with " + removal_of(model) +
            ". If the table has been created again, add it with " + addition + " after that.");
  }
  return Error(ERRCODE_UNDEFINED_OBJECT,
               "model \"" + model.name + "\" cannot be exported: " + model.problem, "",
               model.restored
                   ? "Create what is missing and run " +
                         tables::call_of("resume", model.destination) +
                         ", or remove the model with " + removal_of(model) + "."
                   : "Remove the model with " + removal_of(model) +
                         ". To continue exporting its table, add it again with " + addition + ".");
}

std::vector<std::string> key_of(const Model& model, const RelationInfo& relation) {
  if (!model.key_columns.empty()) return model.key_columns;
  if (!relation.primary_key.empty()) return relation.primary_key;
  throw Error(ERRCODE_INVALID_PARAMETER_VALUE, relation.name + " has no primary key", "",
              "Name the columns that identify a row with key_columns => '{...}'.");
}

std::vector<Column> columns_of(const Model& model, const RelationInfo& relation) {
  std::vector<Column> columns;
  for (const Column& column : relation.columns) {
    const bool wanted =
        model.columns.empty() ||
        std::find(model.columns.begin(), model.columns.end(), column.name) != model.columns.end();
    if (wanted) columns.push_back(column);
  }
  return columns;
}

void check_model(const Model& model, const RelationInfo& relation, Oid role) {
  check_kind(relation);
  check_change_detection(model, relation);
  check_key(model, relation);
  check_columns(model, relation);
  check_rights(model, relation, role);
}

}  // namespace hydra::relations
