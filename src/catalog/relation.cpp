#include "catalog/relation.hpp"

#include "catalog/rights.hpp"
#include "pg/compat.hpp"
#include "pg/spi.hpp"

namespace hydra::catalog {
namespace {

using pg::Error;
using pg::or_empty;
using pg::Row;

std::vector<Column> load_columns(Oid relation) {
  std::vector<Column> columns;
  const pg::Rows rows = pg::query(
      "SELECT attname, attnum, atttypid, attcollation, attnotnull, attgenerated,"
      " format_type(atttypid, atttypmod) FROM pg_attribute"
      " WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
      {pg::text(relation)});
  for (const Row& row : rows) {
    Column column;
    column.name = or_empty(row[0]);
    column.number = static_cast<int>(pg::to_int(row[1]));
    column.type = static_cast<Oid>(pg::to_int(row[2]));
    column.collation = static_cast<Oid>(pg::to_int(row[3]));
    column.not_null = pg::to_bool(row[4]);
    column.computed_when_read = pg::compat::is_virtual_generated(or_empty(row[5]).c_str()[0]);
    column.type_name = or_empty(row[6]);
    columns.push_back(column);
  }
  return columns;
}

std::vector<std::string> load_primary_key(Oid relation) {
  std::vector<std::string> key;
  const pg::Rows rows = pg::query(
      "SELECT a.attname FROM pg_index i"
      " CROSS JOIN unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (number, place)"
      " JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.number"
      " WHERE i.indrelid = $1::oid AND i.indisprimary AND i.indisvalid"
      " AND k.place <= i.indnkeyatts ORDER BY k.place",
      {pg::text(relation)});
  for (const Row& row : rows)
    key.push_back(or_empty(row[0]));
  return key;
}

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

// The first of the relation, its partitions and its children that the condition holds for, by name.
std::string find_member(Oid relation, const std::string& condition) {
  const pg::Rows rows = pg::query(
      "WITH RECURSIVE family (oid) AS (SELECT $1::oid UNION"
      " SELECT i.inhrelid FROM family f JOIN pg_inherits i ON i.inhparent = f.oid"
      " WHERE NOT i.inhdetachpending) SELECT c.oid::regclass FROM family f JOIN pg_class c USING "
      "(oid)"
      " LEFT JOIN pg_am a ON a.oid = c.relam WHERE " +
          condition + " ORDER BY c.oid LIMIT 1",
      {pg::text(relation)});
  return rows.empty() ? "" : or_empty(rows[0][0]);
}

bool has_foreign_leaf(const Relation& relation) {
  return relation.kind == 'p' && !find_member(relation.oid, "c.relkind = 'f'").empty();
}

std::string list(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names)
    text += (text.empty() ? "\"" : ", \"") + name + "\"";
  return text;
}

Error wrong_kind(const Relation& relation, const std::string& what) {
  return Error(ERRCODE_WRONG_OBJECT_TYPE, "cannot export " + relation.name + ": it is " + what, "",
               "Tables, partitioned tables, materialized views, views and foreign tables can be "
               "exported.");
}

void check_kind(const Relation& relation) {
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
      throw wrong_kind(relation, "no table");
  }
  if (relation.persistence == 't') throw wrong_kind(relation, "temporary");
  if (relation.schema == "pg_catalog" || relation.schema == "information_schema" ||
      relation.schema == "pg_toast") {
    throw wrong_kind(relation, "part of the system catalogs");
  }
  // Secrets among them, which nobody gets to read.
  if (relation.schema == "hydra_export") throw wrong_kind(relation, "part of hydra_export itself");
  if (!relation.populated) {
    throw Error(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                "materialized view " + relation.name + " has not been populated", "",
                "Run REFRESH MATERIALIZED VIEW.");
  }
}

void check_change_detection(const Model& model, const Relation& relation) {
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
              "No unique index has these columns, or some of them, and no others.",
              "Choose the columns of a unique index, or create one.");
}

// Tables that inherit from this one, in whatever depth: OID and name. Foreign ones are vouched for.
pg::Rows children_of(Oid relation) {
  return pg::query(
      "WITH RECURSIVE children (oid) AS (SELECT inhrelid FROM pg_inherits WHERE inhparent = $1::oid"
      " UNION SELECT i.inhrelid FROM children c JOIN pg_inherits i ON i.inhparent = c.oid)"
      " SELECT c.oid, c.oid::regclass FROM children JOIN pg_class c USING (oid)"
      " WHERE c.relkind = 'r' ORDER BY c.oid",
      {pg::text(relation)});
}

void check_key(const Model& model, const Relation& relation) {
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
    // Nothing marks columns of views and materialized views as not null: there, a null is found
    // when it is read.
    if ((relation.kind == 'r' || relation.kind == 'p') && !column->not_null) {
      throw Error(ERRCODE_INVALID_PARAMETER_VALUE,
                  "key column \"" + name + "\" of " + relation.name + " may be null", "",
                  "Choose columns that are NOT NULL, or add that constraint.");
    }
  }
  const bool vouched = relation.is_remote() || has_foreign_leaf(relation);
  if (vouched) return;
  check_unique(relation.oid, relation.name, key);
  if (!relation.has_children) return;
  // Unique indexes are not inherited.
  for (const Row& child : children_of(relation.oid))
    check_unique(static_cast<Oid>(pg::to_int(child[0])), or_empty(child[1]), key);
}

void check_columns(const Model& model, const Relation& relation) {
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
                "columns must hold the key column \"" + name + "\"",
                "Without the key, readers could not tell which row a line belongs to.",
                "Add it to the columns.");
  }
}

}  // namespace

const Column* Relation::column(const std::string& wanted) const {
  for (const Column& candidate : columns) {
    if (candidate.name == wanted) return &candidate;
  }
  return nullptr;
}

std::optional<Relation> describe_relation(Oid oid) {
  const pg::Rows rows = pg::query(
      "SELECT n.nspname, c.relname, c.oid::regclass, c.relkind, c.relpersistence,"
      " coalesce(a.amname = 'heap', false), c.relispopulated, EXISTS (SELECT FROM pg_inherits"
      "   WHERE inhparent = c.oid AND c.relkind <> 'p'), c.relfilenode, c.relowner"
      " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
      " LEFT JOIN pg_am a ON a.oid = c.relam WHERE c.oid = $1::oid",
      {pg::text(oid)});
  if (rows.empty()) return std::nullopt;
  const Row& row = rows[0];
  Relation relation;
  relation.oid = oid;
  relation.schema = or_empty(row[0]);
  relation.table = or_empty(row[1]);
  relation.name = or_empty(row[2]);
  relation.kind = or_empty(row[3])[0];
  relation.persistence = or_empty(row[4])[0];
  relation.heap = pg::to_bool(row[5]);
  relation.populated = pg::to_bool(row[6]);
  relation.has_children = pg::to_bool(row[7]);
  relation.file_number = static_cast<Oid>(pg::to_int(row[8]));
  relation.owner = static_cast<Oid>(pg::to_int(row[9]));
  relation.columns = load_columns(oid);
  relation.primary_key = load_primary_key(oid);
  return relation;
}

Error no_relation(const Model& model) {
  if (model.problem.empty() || model.problem == table_dropped) {
    return Error(ERRCODE_UNDEFINED_TABLE,
                 "the table of model \"" + model.name + "\" no longer exists", "",
                 "Remove the model with hydra_export.remove_model().");
  }
  return Error(ERRCODE_UNDEFINED_OBJECT,
               "model \"" + model.name + "\" cannot be exported: " + model.problem, "",
               model.restored
                   ? "Create what is missing and run hydra_export.resume(), or remove the model "
                     "with hydra_export.remove_model()."
                   : "Remove the model with hydra_export.remove_model(), and add it again where it "
                     "is still wanted.");
}

std::vector<std::string> key_of(const Model& model, const Relation& relation) {
  if (!model.key_columns.empty()) return model.key_columns;
  if (!relation.primary_key.empty()) return relation.primary_key;
  throw Error(ERRCODE_INVALID_PARAMETER_VALUE, relation.name + " has no primary key", "",
              "Name the columns that identify a row with key_columns => '{...}'.");
}

std::vector<Column> columns_of(const Model& model, const Relation& relation) {
  std::vector<Column> columns;
  for (const Column& column : relation.columns) {
    const bool wanted =
        model.columns.empty() ||
        std::find(model.columns.begin(), model.columns.end(), column.name) != model.columns.end();
    if (wanted) columns.push_back(column);
  }
  return columns;
}

bool is_parallel_safe(const std::vector<Column>& columns) {
  std::vector<std::string> types;
  for (const Column& column : columns)
    types.push_back(std::to_string(column.type));
  return pg::to_bool(pg::query(
      "WITH RECURSIVE used (oid) AS (SELECT unnest($1::oid[]) UNION SELECT inner_type"
      "   FROM used u JOIN pg_type t ON t.oid = u.oid CROSS JOIN LATERAL ("
      "     VALUES (t.typelem), (t.typbasetype)"
      "     UNION SELECT atttypid FROM pg_attribute"
      "       WHERE attrelid = t.typrelid AND t.typrelid <> 0 AND attnum > 0 AND NOT attisdropped"
      "     UNION SELECT rngsubtype FROM pg_range WHERE t.oid IN (rngtypid, rngmultitypid)"
      "   ) AS part (inner_type) WHERE inner_type <> 0),"
      " run (oid) AS (SELECT t.typoutput::oid FROM used JOIN pg_type t USING (oid)"
      "   UNION SELECT c.castfunc FROM used JOIN pg_cast c ON c.castsource = used.oid"
      "     AND c.casttarget = 'json'::regtype AND c.castfunc <> 0"
      "   UNION SELECT p.amproc::oid FROM used JOIN pg_opclass o ON o.opcintype = used.oid"
      "     JOIN pg_amproc p ON p.amprocfamily = o.opcfamily AND p.amproclefttype = used.oid)"
      " SELECT NOT EXISTS (SELECT FROM run JOIN pg_proc p USING (oid) WHERE p.proparallel <> 's')",
      {pg::array_literal(types)})[0][0]);
}

void check_model(const Model& model, const Relation& relation, Oid role) {
  check_kind(relation);
  check_change_detection(model, relation);
  check_key(model, relation);
  check_columns(model, relation);
  check_rights(model, relation, role);
}

}  // namespace hydra::catalog
