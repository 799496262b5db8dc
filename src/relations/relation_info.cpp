#include "relations/relation_info.hpp"

#include "pg/compat.hpp"
#include "pg/error.hpp"
#include "pg/spi.hpp"

namespace hydra::relations {
namespace {

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

}  // namespace

const Column* RelationInfo::column(const std::string& wanted) const {
  for (const Column& candidate : columns) {
    if (candidate.name == wanted) return &candidate;
  }
  return nullptr;
}

std::optional<RelationInfo> describe_relation(Oid oid) {
  const pg::Rows rows = pg::query(
      "SELECT n.nspname, c.relname, c.oid::regclass, c.relkind, c.relpersistence,"
      " coalesce(a.amname = 'heap', false), c.relispopulated, EXISTS (SELECT FROM pg_inherits"
      "   WHERE inhparent = c.oid AND c.relkind <> 'p'), c.relfilenode, c.relowner"
      " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
      " LEFT JOIN pg_am a ON a.oid = c.relam WHERE c.oid = $1::oid",
      {pg::text(oid)});
  if (rows.empty()) return std::nullopt;
  const Row& row = rows[0];
  RelationInfo relation;
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

}  // namespace hydra::relations
