#include "change/fingerprint.hpp"

#include <algorithm>

#include "pg/compat.hpp"
#include "pg/spi.hpp"

namespace hydra::change {
namespace {

// The columns $2 of relation $1, and their types with the types within: elements of arrays, bases
// of domains, attributes, ranges' subtypes.
const std::string used_types =
    "WITH RECURSIVE exported AS ("
    "  SELECT a.*, CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END"
    "    AS generated"
    "  FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
    "  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped"
    "  AND a.attname = ANY ($2::name[])"
    "), used (type) AS ("
    "  SELECT atttypid FROM exported"
    "  UNION"
    "  SELECT unnest(CASE t.typtype"
    "      WHEN 'd' THEN ARRAY[t.typbasetype]"
    "      WHEN 'c' THEN ARRAY(SELECT atttypid FROM pg_attribute"
    "        WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped)"
    "      WHEN 'r' THEN ARRAY(SELECT rngsubtype FROM pg_range WHERE rngtypid = t.oid)"
    "      WHEN 'm' THEN ARRAY(SELECT rngsubtype FROM pg_range WHERE rngmultitypid = t.oid)"
    "      ELSE ARRAY[t.typelem] END)"
    "  FROM used JOIN pg_type t ON t.oid = used.type"
    ")";

}  // namespace

std::string take_fingerprint(Oid relation, const std::vector<std::string>& columns,
                             const std::vector<std::string>& key_columns) {
  static const std::string sql =
      used_types +
      ", enums AS ("
      "  SELECT e.oid AS label, e.enumlabel FROM used JOIN pg_enum e ON e.enumtypid = used.type"
      "), composites AS ("
      "  SELECT t.oid AS type, jsonb_agg(jsonb_build_array(a.attname, a.atttypid, a.atttypmod)"
      "    ORDER BY a.attnum) AS attributes"
      "  FROM used JOIN pg_type t ON t.oid = used.type AND t.typtype = 'c'"
      "  JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped"
      "  GROUP BY t.oid"
      ") SELECT jsonb_build_object("
      "  'columns', (SELECT coalesce(jsonb_object_agg(attname, jsonb_build_object("
      "     'number', attnum, 'type', atttypid, 'typmod', atttypmod, 'generated', generated,"
      "     'missing', CASE WHEN atthasmissing THEN attmissingval::text END)), '{}')"
      "     FROM exported),"
      "  'key', to_jsonb($3::name[]),"
      "  'labels', (SELECT coalesce(jsonb_object_agg(label, enumlabel), '{}') FROM enums),"
      "  'composites', (SELECT coalesce(jsonb_object_agg(type, attributes), '{}')"
      "     FROM composites))";
  return pg::or_empty(pg::query(
      sql, {pg::text(relation), pg::array_literal(columns), pg::array_literal(key_columns)})[0][0]);
}

std::vector<std::string> type_versions(Oid relation, const std::vector<std::string>& columns) {
  static const std::string sql =
      used_types +
      " SELECT concat_ws(' ', e.oid, e.xmin)"
      "   FROM used JOIN pg_enum e ON e.enumtypid = used.type"
      " UNION ALL SELECT concat_ws(' ', t.oid, string_agg(concat_ws(':', a.attnum, a.xmin), ' '"
      "     ORDER BY a.attnum))"
      "   FROM used JOIN pg_type t ON t.oid = used.type AND t.typtype = 'c'"
      "   JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 GROUP BY t.oid";
  std::vector<std::string> versions;
  for (const pg::Row& row : pg::query(sql, {pg::text(relation), pg::array_literal(columns)}))
    versions.push_back(pg::or_empty(row[0]));
  std::sort(versions.begin(), versions.end());
  return versions;
}

bool same_rows(const std::string& before, const std::string& now) {
  static const std::string sql =
      "SELECT before -> 'key' = now -> 'key'"
      " AND NOT EXISTS (SELECT FROM jsonb_each(before -> 'labels') b"
      "   JOIN jsonb_each(now -> 'labels') n USING (key) WHERE b.value <> n.value)"
      " AND NOT EXISTS (SELECT FROM jsonb_each(before -> 'composites') b"
      "   JOIN jsonb_each(now -> 'composites') n USING (key) WHERE b.value <> n.value)"
      // A missing value that is gone was written into the rows by a rewrite.
      " AND NOT EXISTS (SELECT FROM jsonb_each(now -> 'columns') n"
      "   LEFT JOIN jsonb_each(before -> 'columns') b USING (key)"
      "   WHERE n.value ->> 'missing' IS DISTINCT FROM b.value ->> 'missing'"
      "     AND n.value ->> 'missing' IS NOT NULL"
      "   OR CASE WHEN b.value IS NULL THEN n.value ->> 'generated' IS NOT NULL"
      // A column under a new name is not one that was added: its number is known.
      "       OR EXISTS (SELECT FROM jsonb_each(before -> 'columns') o"
      "         WHERE o.value -> 'number' = n.value -> 'number')"
      "     ELSE b.value - 'missing' <> n.value - 'missing' END)"
      " FROM (SELECT $1::jsonb AS before, $2::jsonb AS now) x";
  return pg::to_bool(pg::query(sql, {before, now})[0][0]);
}

bool has_new_columns(const std::string& before, const std::string& now) {
  static const std::string sql =
      "SELECT EXISTS (SELECT FROM jsonb_object_keys($2::jsonb -> 'columns') k"
      " WHERE NOT $1::jsonb -> 'columns' ? k)";
  return pg::to_bool(pg::query(sql, {before, now})[0][0]);
}

bool was_redefined(Oid relation, const XidSnapshot& baseline) {
  // Every definition is a catalog row, which carries the id of its last writer like any other.
  // Which enums and composites the table uses is not asked: DDL on them is rare.
  static const std::string sql =
      "SELECT DISTINCT xmin::text FROM ("
      "  SELECT xmin FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0"
      "  UNION ALL SELECT xmin FROM pg_attrdef WHERE adrelid = $1::oid"
      "  UNION ALL SELECT xmin FROM pg_enum"
      "  UNION ALL SELECT a.xmin FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
      "    WHERE c.relkind = 'c' AND a.attnum > 0) definitions";
  const pg::Rows rows = pg::query(sql, {pg::text(relation)});
  // Read after them, so none of their ids is newer.
  const FullXid next = U64FromFullTransactionId(ReadNextFullTransactionId());
  return std::any_of(rows.begin(), rows.end(), [&](const pg::Row& row) {
    return is_changed(static_cast<std::uint32_t>(pg::to_int(row[0])), baseline, next);
  });
}

}  // namespace hydra::change
