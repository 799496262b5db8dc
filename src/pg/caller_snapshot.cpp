#include "pg/caller_snapshot.hpp"

namespace hydra::pg {
namespace {

bool is_plain_call(const Node* node, Oid function) {
  if (!IsA(node, FuncExpr)) return false;
  const auto* call = reinterpret_cast<const FuncExpr*>(node);
  bool plain = call->funcid == function;
  for (int i = 0; i < list_length(call->args); ++i) {
    const Node* argument = static_cast<const Node*>(list_nth(call->args, i));
    plain = plain && (IsA(argument, Const) || IsA(argument, Param));
  }
  return plain;
}

// True for SELECT f(…) without tables and without other functions that would be called afterwards.
bool is_only_call(const PlannedStmt* statement, Oid function) {
  const Plan* plan = statement->planTree;
  if (statement->commandType != CMD_SELECT || statement->subplans != NIL) return false;
  if (!IsA(plan, Result) || plan->lefttree != nullptr || plan->qual != NIL) return false;
  if (reinterpret_cast<const Result*>(plan)->resconstantqual != nullptr) return false;
  if (list_length(plan->targetlist) != 1) return false;
  const auto* target = static_cast<const TargetEntry*>(linitial(plan->targetlist));
  return is_plain_call(reinterpret_cast<const Node*>(target->expr), function);
}

// False inside another function, which has a snapshot of its own.
bool is_of_statement(Snapshot snapshot) {
  const Portal portal = ActivePortal;
  return portal != nullptr && portal->queryDesc != nullptr &&
         portal->queryDesc->snapshot == snapshot;
}

}  // namespace

void let_go_of_caller_snapshot(Oid function) {
  if (IsTransactionBlock() || IsSubTransaction() || IsolationUsesXactSnapshot()) return;
  if (!ActiveSnapshotSet() || !is_of_statement(GetActiveSnapshot())) return;
  if (!is_only_call(ActivePortal->queryDesc->plannedstmt, function)) return;
  call([]() noexcept { InvalidateCatalogSnapshot(); });
  MyProc->xmin = TransactionXmin = InvalidTransactionId;
}

}  // namespace hydra::pg
