#include "relations/partition_condition.hpp"

#include "pg/compat.hpp"
#include "pg/spi.hpp"

namespace hydra::relations {
namespace {

// The same values everywhere, in the same order; but for the order of texts, see below.
bool is_common(Oid type) {
  switch (type) {
    case BOOLOID:
    case INT2OID:
    case INT4OID:
    case INT8OID:
    case NUMERICOID:
    case TEXTOID:
    case VARCHAROID:
    case DATEOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
    case UUIDOID:
      return true;
    default:
      return false;
  }
}

// Raw.
bool is_common_operator(Oid number, Oid collation) {
  const char* name = get_opname(number);
  if (number >= FirstNormalObjectId || name == nullptr) return false;
  if (strcmp(name, "=") == 0)
    return !OidIsValid(collation) || get_collation_isdeterministic(collation);
  if (strcmp(name, "<") != 0 && strcmp(name, "<=") != 0 && strcmp(name, ">") != 0 &&
      strcmp(name, ">=") != 0)
    return false;
  // Which of two texts comes first depends on the collation; without one, on their bytes in UTF-8.
  return !OidIsValid(collation) ||
         (collation == C_COLLATION_OID && GetDatabaseEncoding() == PG_UTF8);
}

// Not every system has infinity. Raw.
bool is_finite(Oid type, Datum value) {
  switch (type) {
    case NUMERICOID:
      return !numeric_is_nan(DatumGetNumeric(value)) && !numeric_is_inf(DatumGetNumeric(value));
    case DATEOID:
      return !DATE_NOT_FINITE(DatumGetDateADT(value));
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
      return !TIMESTAMP_NOT_FINITE(DatumGetTimestamp(value));
    default:
      return true;
  }
}

// Raw.
bool is_common_constant(const Const* constant) {
  // Another collation would be part of the text.
  const Oid collation = constant->constcollid;
  if (OidIsValid(collation) && collation != DEFAULT_COLLATION_OID && collation != C_COLLATION_OID)
    return false;
  return is_common(constant->consttype) &&
         (constant->constisnull || is_finite(constant->consttype, constant->constvalue));
}

bool is_column(const Var* var, const std::vector<Column>& columns) {
  for (const Column& column : columns) {
    if (column.number == var->varattno) return is_common(column.type);
  }
  return false;
}

// Whether there is something in the expression that only PostgreSQL can evaluate. Raw.
bool is_special(Node* node, void* columns) {
  if (node == nullptr) return false;
  switch (nodeTag(node)) {
    case T_Var:
      return !is_column(castNode(Var, node), *static_cast<std::vector<Column>*>(columns));
    case T_Const:
      return !is_common_constant(castNode(Const, node));
    case T_OpExpr: {
      const auto* call = castNode(OpExpr, node);
      if (!is_common_operator(call->opno, call->inputcollid)) return true;
      break;
    }
    case T_ScalarArrayOpExpr: {
      const auto* call = castNode(ScalarArrayOpExpr, node);
      if (!is_common_operator(call->opno, call->inputcollid)) return true;
      break;
    }
    case T_List:
    case T_BoolExpr:
    case T_NullTest:
    case T_ArrayExpr:
    case T_RelabelType:
      break;
    default:
      return true;
  }
  return pg::compat::walk_expression(node, is_special, columns);
}

}  // namespace

std::string partition_condition(Oid relation, const std::vector<Column>& columns) {
  std::vector<Column> known = columns;
  const bool is_known = pg::call([&]() noexcept {
    auto* condition = reinterpret_cast<Node*>(get_partition_qual_relid(relation));
    return condition != nullptr && !is_special(condition, &known);
  });
  if (!is_known) return "";
  return pg::or_empty(
      pg::query("SELECT pg_get_partition_constraintdef($1::oid)", {pg::text(relation)})[0][0]);
}

}  // namespace hydra::relations
