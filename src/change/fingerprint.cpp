#include "change/fingerprint.hpp"

#include <algorithm>

#include "pg/compat.hpp"
#include "pg/spi.hpp"

namespace hydra::change {
namespace {

// The types of the columns $2 of relation $1 and of all columns of the relations $3, and the types
// inside them: elements of arrays, bases of domains, attributes, ranges' subtypes. Built-in types
// never change.
const std::string used_types =
    "WITH RECURSIVE exported AS ("
    "  SELECT a.*, d.oid AS default_oid, CASE WHEN a.attgenerated <> ''"
    "    THEN pg_get_expr(d.adbin, d.adrelid) END AS generated"
    "  FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum"
    "  WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped"
    "  AND a.attname = ANY ($2::name[])"
    "), used (type) AS ("
    "  SELECT atttypid FROM exported"
    "  UNION SELECT atttypid FROM pg_attribute"
    "    WHERE attrelid = ANY ($3::oid[]) AND attnum > 0 AND NOT attisdropped"
    "  UNION"
    "  SELECT unnest(CASE t.typtype"
    "      WHEN 'd' THEN ARRAY[t.typbasetype]"
    "      WHEN 'c' THEN ARRAY(SELECT atttypid FROM pg_attribute"
    "        WHERE attrelid = t.typrelid AND attnum > 0 AND NOT attisdropped)"
    "      WHEN 'r' THEN ARRAY(SELECT rngsubtype FROM pg_range WHERE rngtypid = t.oid)"
    "      WHEN 'm' THEN ARRAY(SELECT rngsubtype FROM pg_range WHERE rngmultitypid = t.oid)"
    "      ELSE ARRAY[t.typelem] END)"
    "  FROM used JOIN pg_type t ON t.oid = used.type"
    "), types AS ("
    "  SELECT t.oid, t.typtype, t.typrelid, t.typoutput, c.oid AS cast_oid, c.xmin AS cast_xmin,"
    "    c.castmethod, c.castfunc"
    "  FROM used JOIN pg_type t ON t.oid = used.type"
    "  LEFT JOIN pg_cast c ON c.castsource = t.oid AND c.casttarget = 'json'::regtype"
    "  WHERE t.oid >= 16384"
    ")";

// What computes lines, by catalog and OID. It starts from the output functions and casts of those
// types, the queries of views and the expressions of virtual generated columns, and includes all
// that these are known to call.
const std::string computed_by =
    ", calls (class, oid) AS ("
    "  SELECT 'pg_proc'::regclass::oid, typoutput::oid FROM types"
    "  UNION SELECT 'pg_proc'::regclass::oid, castfunc::oid FROM types WHERE castfunc <> 0"
    "  UNION SELECT 'pg_attrdef'::regclass::oid, default_oid FROM exported WHERE attgenerated = 'v'"
    "  UNION SELECT 'pg_rewrite'::regclass::oid, r.oid FROM pg_rewrite r"
    "    JOIN pg_class c ON c.oid = r.ev_class"
    "    WHERE c.relkind = 'v' AND (c.oid = $1::oid OR c.oid = ANY ($3::oid[]))"
    "  UNION SELECT found.class, found.oid FROM calls c CROSS JOIN LATERAL ("
    "    SELECT d.refclassid AS class, d.refobjid AS oid FROM pg_depend d"
    "      WHERE d.classid = c.class AND d.objid = c.oid AND d.refobjid >= 16384"
    "      AND d.refclassid IN ('pg_proc'::regclass, 'pg_operator'::regclass)"
    "    UNION SELECT 'pg_proc'::regclass::oid, o.oprcode::oid FROM pg_operator o"
    "      WHERE c.class = 'pg_operator'::regclass AND o.oid = c.oid"
    "  ) AS found"
    "), definitions (oid, xmin, text) AS ("
    "  SELECT p.oid, p.xmin, concat_ws(' ', p.prolang, p.prosrc, p.probin, p.proconfig,"
    "      p.prosqlbody)"
    "    FROM calls c JOIN pg_proc p ON p.oid = c.oid"
    "    WHERE c.class = 'pg_proc'::regclass AND c.oid >= 16384"
    // Without the location of nodes in the query's text.
    "  UNION ALL SELECT r.oid, r.xmin,"
    "    regexp_replace(r.ev_action::text, ':\\w*(location|stmt_len) -?\\d+', '', 'g')"
    "    FROM calls c JOIN pg_rewrite r ON r.oid = c.oid WHERE c.class = 'pg_rewrite'::regclass"
    "  UNION ALL SELECT t.ftrelid, t.xmin, concat_ws(' ', t.ftserver, t.ftoptions,"
    "      (SELECT string_agg(concat_ws(' ', attnum, attfdwoptions), ',' ORDER BY attnum)"
    "       FROM pg_attribute WHERE attrelid = t.ftrelid AND attfdwoptions IS NOT NULL))"
    "    FROM pg_foreign_table t WHERE t.ftrelid = $1::oid OR t.ftrelid = ANY ($3::oid[])"
    "  UNION ALL SELECT s.oid, s.xmin, concat_ws(' ', s.srvfdw, s.srvversion, s.srvoptions)"
    "    FROM pg_foreign_server s WHERE s.oid IN (SELECT ftserver FROM pg_foreign_table t"
    "      WHERE t.ftrelid = $1::oid OR t.ftrelid = ANY ($3::oid[]))"
    ")";

// Catalog rows that determine how lines are written: a name for the object, and the ids of the
// transactions that wrote the rows.
const std::string versioned =
    used_types + computed_by +
    ", versions (name, writers) AS ("
    "  SELECT concat_ws(' ', 'label', e.oid), ARRAY[e.xmin::text]"
    "    FROM types JOIN pg_enum e ON e.enumtypid = types.oid"
    "  UNION ALL SELECT concat_ws(' ', 'composite', t.oid, string_agg(a.attnum::text, ' ' ORDER BY"
    "      a.attnum)), array_agg(a.xmin::text ORDER BY a.attnum)"
    "    FROM types t JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0"
    "    WHERE t.typtype = 'c' GROUP BY t.oid"
    "  UNION ALL SELECT concat_ws(' ', 'cast', oid, coalesce(cast_oid, 0)), CASE WHEN cast_oid IS"
    "      NULL THEN '{}' ELSE ARRAY[cast_xmin::text] END FROM types"
    "  UNION ALL SELECT concat_ws(' ', 'definition', oid), ARRAY[xmin::text] FROM definitions"
    ")";

std::vector<pg::Text> parameters_of(const LineSource& source) {
  std::vector<std::string> sources;
  for (const Oid oid : source.sources)
    sources.push_back(std::to_string(oid));
  return {pg::text(source.relation), pg::array_literal(source.columns), pg::array_literal(sources)};
}

}  // namespace

std::string take_fingerprint(const LineSource& source,
                             const std::vector<std::string>& key_columns) {
  static const std::string sql =
      used_types + computed_by +
      ", composites AS ("
      "  SELECT t.oid AS type, jsonb_agg(jsonb_build_array(a.attnum, a.attname, a.atttypid,"
      "    a.atttypmod) ORDER BY a.attnum) AS attributes"
      "  FROM used JOIN pg_type t ON t.oid = used.type AND t.typtype = 'c'"
      "  JOIN pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped"
      "  GROUP BY t.oid"
      ") SELECT jsonb_build_object("
      "  'columns', (SELECT coalesce(jsonb_object_agg(attname, jsonb_build_object("
      "     'number', attnum, 'type', atttypid, 'typmod', atttypmod, 'generated', generated,"
      "     'missing', CASE WHEN atthasmissing THEN attmissingval::text END)), '{}')"
      "     FROM exported),"
      "  'width', (SELECT relnatts FROM pg_class WHERE oid = $1::oid AND relkind IN ('r', 'm')),"
      "  'key', to_jsonb($4::name[]),"
      "  'labels', (SELECT coalesce(jsonb_object_agg(e.oid, e.enumlabel), '{}')"
      "     FROM types JOIN pg_enum e ON e.enumtypid = types.oid),"
      "  'composites', (SELECT coalesce(jsonb_object_agg(type, attributes), '{}')"
      "     FROM composites),"
      "  'casts', (SELECT coalesce(jsonb_object_agg(oid, concat_ws(' ', castmethod, castfunc)),"
      "     '{}') FROM types),"
      "  'definitions', (SELECT coalesce(jsonb_object_agg(oid, md5(text)), '{}')"
      "     FROM definitions))";
  std::vector<pg::Text> parameters = parameters_of(source);
  parameters.push_back(pg::array_literal(key_columns));
  return pg::or_empty(pg::query(sql, parameters)[0][0]);
}

std::vector<std::string> definition_versions(const LineSource& source) {
  static const std::string sql =
      versioned + " SELECT concat_ws(' ', name, writers::text) FROM versions";
  std::vector<std::string> versions;
  for (const pg::Row& row : pg::query(sql, parameters_of(source)))
    versions.push_back(pg::or_empty(row[0]));
  std::sort(versions.begin(), versions.end());
  return versions;
}

bool same_rows(const std::string& before, const std::string& now) {
  static const std::string sql =
      "SELECT before -> 'key' = now -> 'key'"
      // New entries belong to columns that did not exist before.
      " AND NOT EXISTS (SELECT FROM unnest(ARRAY['labels', 'composites', 'casts', 'definitions'])"
      "   AS part CROSS JOIN LATERAL (SELECT FROM jsonb_each(before -> part) b"
      "     JOIN jsonb_each(now -> part) n USING (key) WHERE b.value <> n.value) AS other)"
      // If a missing value is gone, a rewrite has written it into the rows.
      " AND NOT EXISTS (SELECT FROM jsonb_each(now -> 'columns') n"
      "   LEFT JOIN jsonb_each(before -> 'columns') b USING (key)"
      "   WHERE n.value ->> 'missing' IS DISTINCT FROM b.value ->> 'missing'"
      "     AND n.value ->> 'missing' IS NOT NULL"
      // Old rows have no value of a column that is after the last one of their heap. Any other
      // column existed before: under another name, as a child's own, or in what a view or foreign
      // table reads.
      "   OR CASE WHEN b.value IS NULL THEN n.value ->> 'generated' IS NOT NULL"
      "       OR ((n.value ->> 'number')::integer > (before ->> 'width')::integer) IS NOT TRUE"
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

bool was_redefined(const LineSource& source, const XidSnapshot& baseline) {
  // Every definition is a catalog row, which contains the id of its last writer like any other.
  static const std::string sql =
      versioned +
      " SELECT DISTINCT writer FROM (SELECT unnest(writers) AS writer FROM versions"
      "  UNION ALL SELECT xmin::text FROM pg_attribute WHERE attrelid = $1::oid AND attnum > 0"
      "  UNION ALL SELECT xmin::text FROM pg_attrdef WHERE adrelid = $1::oid"
      "  UNION ALL SELECT xmin::text FROM pg_constraint WHERE conrelid = $1::oid AND contype = 'p')"
      " redefined";
  const pg::Rows rows = pg::query(sql, parameters_of(source));
  // Read after the rows, so none of their ids is newer.
  const FullXid next = U64FromFullTransactionId(ReadNextFullTransactionId());
  return std::any_of(rows.begin(), rows.end(), [&](const pg::Row& row) {
    return is_changed(static_cast<std::uint32_t>(pg::to_int(row[0])), baseline, next);
  });
}

}  // namespace hydra::change
