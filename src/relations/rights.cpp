#include "relations/rights.hpp"

#include "pg/compat.hpp"
#include "pg/spi.hpp"
#include "relations/requirements.hpp"

namespace hydra::relations {
namespace {

using pg::Error;
using pg::or_empty;
using tables::Model;

std::string role_name(Oid role) {
  return pg::call([=]() noexcept { return GetUserNameFromId(role, false); });
}

void check_role(const Model& model, Oid role) {
  if (pg::call([=]() noexcept { return GetUserNameFromId(role, true) != nullptr; })) return;
  throw Error(ERRCODE_UNDEFINED_OBJECT,
              "the role that added model \"" + model.name + "\" no longer exists", "",
              "Remove the model and add it again.");
}

bool may_select(Oid relation, int column, Oid role) {
  return pg::call([=]() noexcept {
    return pg::compat::may_select(relation, static_cast<AttrNumber>(column), role);
  });
}

bool may_select_columns(const Model& model, const RelationInfo& relation, Oid role) {
  if (may_select(relation.oid, 0, role)) return true;
  const Column* updated_at = relation.column(model.updated_at_column);
  if (updated_at != nullptr && !may_select(relation.oid, updated_at->number, role)) return false;
  const std::vector<Column> columns = columns_of(model, relation);
  return !columns.empty() && std::all_of(columns.begin(), columns.end(), [&](const Column& column) {
    return may_select(relation.oid, column.number, role);
  });
}

void check_select(const Model& model, const RelationInfo& relation, Oid role) {
  if (may_select_columns(model, relation, role)) return;
  throw Error(ERRCODE_INSUFFICIENT_PRIVILEGE,
              "permission denied for " + relation.name + ": role \"" + role_name(role) +
                  "\" may not read it",
              "", "Grant SELECT on it to that role.");
}

bool is_row_security_applied(const RelationInfo& relation, Oid role) {
  const Oid oid = relation.oid;
  return pg::call([=]() noexcept { return check_enable_rls(oid, role, true); }) == RLS_ENABLED;
}

void check_row_security(const RelationInfo& relation, Oid role) {
  if (!is_row_security_applied(relation, role)) return;
  throw Error(
      ERRCODE_INSUFFICIENT_PRIVILEGE,
      "row-level security of " + relation.name + " applies to role \"" + role_name(role) + "\"",
      "An export would miss rows.",
      "Add the model as a role with BYPASSRLS, or as the table's owner unless row "
      "security is forced.");
}

bool has_rights_of(Oid role, Oid other) {
  return pg::call([=]() noexcept { return has_privs_of_role(role, other); });
}

// What a view or foreign table returns depends on the role that reads it (functions of a view, user
// mappings), and it is read as its owner.
void check_owner(const RelationInfo& relation, Oid role) {
  if (!relation.is_remote() || has_rights_of(role, relation.owner)) return;
  const bool view = relation.kind == 'v';
  throw Error(ERRCODE_INSUFFICIENT_PRIVILEGE,
              "role \"" + role_name(role) + "\" lacks the rights of role \"" +
                  role_name(relation.owner) + "\", which owns " + relation.name,
              std::string(view ? "A view" : "A foreign table") +
                  " is read as its owner, and what it shows depends on the role that reads it.",
              view ? "Let the owner add it, or add a view of your own that reads it."
                   : "Let the owner add it.");
}

// What a view reads, calls and computes with, at any depth, that belongs to roles without the
// privileges of the view's owner: its description, and the owner's name. Planning a query also runs
// code of tables (expressions of indexes and constraints), and replaces operators by their negators
// and commutators; and a value is converted to a domain by the domain's checks.
pg::Rows foreign_authors(const RelationInfo& view) {
  return pg::query(
      "WITH RECURSIVE used (class, oid) AS ("
      "  SELECT 'pg_class'::regclass::oid, $1::oid"
      "  UNION SELECT found.class, found.oid FROM used u CROSS JOIN LATERAL ("
      "    SELECT d.refclassid AS class, d.refobjid AS oid FROM pg_rewrite r JOIN pg_depend d"
      "      ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid"
      "      WHERE u.class = 'pg_class'::regclass AND r.ev_class = u.oid AND d.refclassid IN"
      "        ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass,"
      "         'pg_type'::regclass)"
      "    UNION SELECT u.class, inhrelid FROM pg_inherits"
      "      WHERE u.class = 'pg_class'::regclass AND inhparent = u.oid"
      "    UNION SELECT u.class, other FROM pg_operator o CROSS JOIN LATERAL"
      "        (VALUES (o.oprnegate), (o.oprcom)) AS others (other)"
      "      WHERE u.class = 'pg_operator'::regclass AND o.oid = u.oid AND other <> 0"
      "    UNION SELECT 'pg_proc'::regclass::oid, o.oprcode::oid FROM pg_operator o"
      "      WHERE u.class = 'pg_operator'::regclass AND o.oid = u.oid AND o.oprcode <> 0"
      "    UNION SELECT u.class, part FROM pg_type t CROSS JOIN LATERAL ("
      "        VALUES (t.typbasetype), (t.typelem)"
      "        UNION SELECT atttypid FROM pg_attribute"
      "          WHERE attrelid = t.typrelid AND t.typrelid <> 0 AND attnum > 0 AND NOT "
      "attisdropped"
      "        UNION SELECT rngsubtype FROM pg_range WHERE t.oid IN (rngtypid, rngmultitypid)"
      "      ) AS parts (part) WHERE u.class = 'pg_type'::regclass AND t.oid = u.oid AND part <> 0"
      "  ) AS found"
      "), authors (what, owner) AS ("
      "  SELECT c.oid::regclass::text, c.relowner FROM used u JOIN pg_class c ON c.oid = u.oid"
      "    WHERE u.class = 'pg_class'::regclass"
      "  UNION SELECT 'function ' || p.oid::regprocedure, p.proowner FROM used u"
      "    JOIN pg_proc p ON p.oid = u.oid WHERE u.class = 'pg_proc'::regclass"
      "  UNION SELECT 'operator ' || o.oid::regoperator, o.oprowner FROM used u"
      "    JOIN pg_operator o ON o.oid = u.oid WHERE u.class = 'pg_operator'::regclass"
      "  UNION SELECT 'type ' || t.oid::regtype, t.typowner FROM used u"
      "    JOIN pg_type t ON t.oid = u.oid WHERE u.class = 'pg_type'::regclass"
      ") SELECT what, pg_get_userbyid(owner) FROM authors"
      " WHERE NOT pg_has_role(owner, $2::oid, 'USAGE') ORDER BY what LIMIT 1",
      {pg::text(view.oid), pg::text(view.owner)});
}

void check_authors(const RelationInfo& relation) {
  if (relation.kind != 'v') return;
  const pg::Rows found = foreign_authors(relation);
  if (found.empty()) return;
  const std::string owner = role_name(relation.owner);
  throw Error(ERRCODE_INSUFFICIENT_PRIVILEGE,
              "view " + relation.name + " uses " + or_empty(found[0][0]) +
                  ", which belongs to role \"" + or_empty(found[0][1]) + "\"",
              "Its code would run with the rights of role \"" + owner + "\", which owns the view.",
              "Give the view to that role with ALTER VIEW ... OWNER TO, or export a materialized "
              "view.");
}

// Indexes of a table's parents also exist on the table, and planning a query evaluates their
// expressions: whether all roles that may have created them have the privileges of its owner.
bool owns_all_indexes(const RelationInfo& relation) {
  return pg::to_bool(pg::query(
      "WITH RECURSIVE above (oid) AS (SELECT inhparent FROM pg_inherits WHERE inhrelid = $1::oid"
      "   UNION SELECT i.inhparent FROM above a JOIN pg_inherits i ON i.inhrelid = a.oid)"
      " SELECT NOT EXISTS (SELECT FROM above a JOIN pg_class c ON c.oid = a.oid"
      "   WHERE NOT pg_has_role(c.relowner, $2::oid, 'USAGE'))",
      {pg::text(relation.oid), pg::text(relation.owner)})[0][0]);
}

}  // namespace

void check_rights(const Model& model, const RelationInfo& relation, Oid role) {
  check_role(model, role);
  check_select(model, relation, role);
  check_row_security(relation, role);
  check_owner(relation, role);
  check_authors(relation);
}

void check_leaf_rights(const RelationInfo& leaf, Oid role) {
  check_owner(leaf, role);
}

bool may_query(const RelationInfo& relation) {
  return may_select(relation.oid, 0, relation.owner) &&
         !is_row_security_applied(relation, relation.owner) && owns_all_indexes(relation);
}

}  // namespace hydra::relations
