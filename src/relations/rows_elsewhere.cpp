#include "relations/rows_elsewhere.hpp"

#include "pg/compat.hpp"
#include "pg/spi.hpp"
#include "pg/untrusted_code.hpp"
#include "relations/family.hpp"

namespace hydra::relations {
namespace {

using pg::Error;

bool others_plan() {
  return planner_hook != nullptr || set_rel_pathlist_hook != nullptr;
}

// Raw. The query is not rewritten: row security would interfere, and a table has no other rules.
PlannedStmt* plan_query(const char* sql) {
  List* statements = pg_parse_query(sql);
  PushActiveSnapshot(GetTransactionSnapshot());
  Query* query = pg::compat::analyze(linitial_node(RawStmt, statements), sql);
  PlannedStmt* plan = pg::compat::plan(query, sql);
  PopActiveSnapshot();
  return plan;
}

// How the plan reads the table, if it is not from its heap; else nullptr. Raw.
const char* other_reader(const Plan* plan) {
  switch (nodeTag(plan)) {
    case T_SeqScan:
    case T_IndexScan:
    case T_IndexOnlyScan:
    case T_BitmapHeapScan:
    case T_TidRangeScan:
    case T_Result:
      return plan->lefttree == nullptr || IsA(plan, BitmapHeapScan) ? nullptr : "another plan";
    case T_CustomScan: {
      const auto* scan = reinterpret_cast<const CustomScan*>(plan);
      return scan->methods != nullptr ? scan->methods->CustomName : "a custom scan";
    }
    default:
      return "another plan";
  }
}

}  // namespace

void check_rows_in_heap(const RelationInfo& relation) {
  if (!others_plan() || !relation.heap) return;
  // Children are checked as separate tables.
  const std::string sql = std::string("SELECT * FROM ") + (relation.has_children ? "ONLY " : "") +
                          pg::quote_identifier(relation.schema) + "." +
                          pg::quote_identifier(relation.table);
  const char* text = sql.c_str();
  pg::UntrustedCode code(relation.owner);
  const char* reader =
      pg::call([=]() noexcept { return other_reader(plan_query(text)->planTree); });
  if (reader == nullptr) return;
  throw Error(ERRCODE_FEATURE_NOT_SUPPORTED,
              "the rows of " + relation.name + " are not in the table itself",
              std::string("The planner has them read by \"") + reader + "\".",
              "Export a view of it, with changed_by => 'updated_at'.");
}

void check_rows_in_heaps(Oid relation) {
  if (!others_plan()) return;
  for (const Oid oid : family_of(relation)) {
    const auto member = describe_relation(oid);
    if (member) check_rows_in_heap(*member);
  }
}

}  // namespace hydra::relations
