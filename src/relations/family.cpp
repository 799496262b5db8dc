#include "relations/family.hpp"

namespace hydra::relations {
namespace {

// The result of a query whose rows consist of one OID.
std::vector<Oid> find_oids(Snapshot snapshot, const std::string& sql, Oid relation) {
  const std::vector<pg::Text> parameters = {pg::text(relation)};
  const pg::Rows rows =
      snapshot != nullptr ? pg::query_at(snapshot, sql, parameters) : pg::query(sql, parameters);
  std::vector<Oid> oids;
  for (const pg::Row& row : rows)
    oids.push_back(static_cast<Oid>(pg::to_int(row[0])));
  return oids;
}

}  // namespace

std::vector<Oid> family_of(Oid relation, Snapshot snapshot) {
  return find_oids(
      snapshot,
      "WITH RECURSIVE family (oid) AS (SELECT $1::oid UNION"
      " SELECT i.inhrelid FROM family f JOIN pg_inherits i ON i.inhparent = f.oid"
      " WHERE NOT i.inhdetachpending) SELECT oid FROM family ORDER BY oid <> $1::oid, oid",
      relation);
}

std::string being_detached(const std::vector<Oid>& family) {
  return pg::or_empty(pg::query(
      "SELECT string_agg(inhrelid::regclass::text, ', ' ORDER BY inhrelid) FROM pg_inherits"
      " WHERE inhparent = ANY ($1::oid[]) AND inhdetachpending",
      {oid_array(family)})[0][0]);
}

std::vector<Oid> sources_of(Oid view, Snapshot snapshot) {
  return find_oids(
      snapshot,
      "WITH RECURSIVE used (oid) AS (SELECT $1::oid UNION SELECT found.oid FROM used u CROSS JOIN"
      " LATERAL (SELECT d.refobjid AS oid FROM pg_class c JOIN pg_rewrite r ON r.ev_class = c.oid"
      "     JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid"
      "     AND d.refclassid = 'pg_class'::regclass WHERE c.oid = u.oid AND c.relkind = 'v'"
      "   UNION SELECT inhrelid FROM pg_inherits WHERE inhparent = u.oid) AS found)"
      " SELECT oid FROM used WHERE oid <> $1::oid ORDER BY oid",
      view);
}

std::string oid_array(const std::vector<Oid>& oids) {
  std::vector<std::string> texts;
  for (const Oid oid : oids)
    texts.push_back(std::to_string(oid));
  return pg::array_literal(texts);
}

}  // namespace hydra::relations
