// A module for tests, to be preloaded: tables named "distributed…" or "compressed…" are read by a
// custom scan, like the tables of extensions that store rows elsewhere. It returns no rows.
#include "pg/postgres.hpp"

extern "C" {

PG_MODULE_MAGIC;
PGDLLEXPORT void _PG_init(void);

}  // extern "C"

namespace {

planner_hook_type next_planner = nullptr;
const CustomScanMethods methods = {"Elsewhere", nullptr};

bool is_elsewhere(const RangeTblEntry* entry) {
  if (entry->rtekind != RTE_RELATION) return false;
  const char* name = get_rel_name(entry->relid);
  return name != nullptr &&
         (strncmp(name, "distributed", 11) == 0 || strncmp(name, "compressed", 10) == 0);
}

// From 19 on, the hook has one argument more.
template <typename... More>
PlannedStmt* plan(Query* query, const char* sql, int options, ParamListInfo parameters,
                  More... more) {
  PlannedStmt* statement = next_planner != nullptr
                               ? next_planner(query, sql, options, parameters, more...)
                               : standard_planner(query, sql, options, parameters, more...);
  const int entries = list_length(query->rtable);
  for (int i = 0; i < entries; ++i) {
    if (!is_elsewhere(static_cast<RangeTblEntry*>(list_nth(query->rtable, i)))) continue;
    CustomScan* scan = makeNode(CustomScan);
    scan->scan.plan.targetlist = statement->planTree->targetlist;
    scan->methods = &methods;
    statement->planTree = &scan->scan.plan;
  }
  return statement;
}

}  // namespace

void _PG_init(void) {
  next_planner = planner_hook;
  planner_hook = plan;
}
