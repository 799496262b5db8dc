// Every difference between server versions. Supported: PostgreSQL 15 to 19.
#pragma once

#include "pg/postgres.hpp"

#if PG_VERSION_NUM < 150000
#error "hydra_export needs PostgreSQL 15 or later"
#endif

namespace hydra::pg::compat {

// The number of the file with a relation's rows; it changes when the relation is rewritten or
// truncated.
inline Oid file_number(Relation relation) {
#if PG_VERSION_NUM >= 160000
  return relation->rd_locator.relNumber;
#else
  return relation->rd_node.relNode;
#endif
}

// Calls walker(node, context) for each node below this one, until it returns true. Raw.
inline bool walk_expression(Node* node, bool (*walker)(Node*, void*), void* context) {
#if PG_VERSION_NUM >= 160000
  return expression_tree_walker(node, walker, context);
#else
  auto* untyped = reinterpret_cast<void (*)()>(walker);
  return expression_tree_walker(node, reinterpret_cast<bool (*)()>(untyped), context);
#endif
}

// Appends an empty message to WAL and returns its end. Raw.
inline XLogRecPtr append_wal_message(const char* prefix) {
#if PG_VERSION_NUM >= 170000
  return LogLogicalMessage(prefix, "", 0, false, false);
#else
  return LogLogicalMessage(prefix, "", 0, false);
#endif
}

// Prepares a call of a set-returning function to return its rows in a tuplestore. Raw.
inline void materialize_rows(FunctionCallInfo call) {
  InitMaterializedSRF(call, 0);
}

// The position up to which WAL is on disk.
inline XLogRecPtr flushed_wal() {
  return GetFlushRecPtr(nullptr);
}

// Finds the first record at or after a place; invalid if there is none. Raw.
inline XLogRecPtr find_next_record(XLogReaderState* reader, XLogRecPtr from) {
#if PG_VERSION_NUM >= 190000
  char* why = nullptr;
  return XLogFindNextRecord(reader, from, &why);
#else
  return XLogFindNextRecord(reader, from);
#endif
}

inline TimeLineID timeline() {
  return GetWALInsertionTimeLine();
}

// Timeouts that only some versions have.
inline const std::vector<const char*> more_timeouts = {
#if PG_VERSION_NUM >= 170000
    "transaction_timeout",
#endif
};

// Calls f for each process that holds or awaits a lock whose partition the caller has locked.
// Raises no errors.
template <typename F>
void for_each_holder(LOCK* lock, F f) {
#if PG_VERSION_NUM >= 160000
  for (dlist_node* link = lock->procLocks.head.next;
       link != nullptr && link != &lock->procLocks.head; link = link->next) {
    f(reinterpret_cast<const PROCLOCK*>(reinterpret_cast<char*>(link) -
                                        offsetof(PROCLOCK, lockLink)));
  }
#else
  SHM_QUEUE* const queue = &lock->procLocks;
  for (Pointer at = SHMQueueNext(queue, queue, offsetof(PROCLOCK, lockLink)); at != nullptr;
       at = SHMQueueNext(queue, &reinterpret_cast<PROCLOCK*>(at)->lockLink,
                         offsetof(PROCLOCK, lockLink))) {
    f(reinterpret_cast<const PROCLOCK*>(at));
  }
#endif
}

// Waits while the queue is full. Raw.
inline void send_message(shm_mq_handle* queue, Size size, const char* data) {
  (void)shm_mq_send(queue, size, data, false, true);
}

// A wait event set that exists until FreeWaitEventSet(). Raw.
inline WaitEventSet* create_wait_event_set(int events) {
#if PG_VERSION_NUM >= 170000
  return CreateWaitEventSet(nullptr, events);
#else
  return CreateWaitEventSet(TopMemoryContext, events);
#endif
}

inline bool is_virtual_generated(char attgenerated) {
  return attgenerated == 'v';
}

// Parse analysis of a statement without parameters. Raw.
inline Query* analyze(RawStmt* statement, const char* sql) {
  return parse_analyze_fixedparams(statement, sql, nullptr, 0, nullptr);
}

// Plans a query. Raw.
inline PlannedStmt* plan(Query* query, const char* sql) {
#if PG_VERSION_NUM >= 190000
  return pg_plan_query(query, sql, 0, nullptr, nullptr);
#else
  return pg_plan_query(query, sql, 0, nullptr);
#endif
}

// Runs a plan until it has returned this many more rows. Raw.
inline void run_plan(QueryDesc* query, std::uint64_t rows) {
#if PG_VERSION_NUM >= 180000
  ExecutorRun(query, ForwardScanDirection, rows);
#else
  ExecutorRun(query, ForwardScanDirection, rows, false);
#endif
}

// Sets search_path as for untrusted code of another role: only the server's own objects, and no
// temporary schema before them. Undone at the end of the current GUC nest level. Raw.
inline void restrict_search_path() {
#if PG_VERSION_NUM >= 170000
  RestrictSearchPath();
#else
  (void)set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
                          GUC_ACTION_SAVE, true, 0, false);
#endif
}

// Whether a role may read a column, or the whole relation (attribute 0). Raw.
inline bool may_select(Oid relation, AttrNumber attribute, Oid role) {
  if (attribute == 0) return pg_class_aclcheck(relation, role, ACL_SELECT) == ACLCHECK_OK;
  return pg_attribute_aclcheck(relation, attribute, role, ACL_SELECT) == ACLCHECK_OK;
}

// Infinite intervals exist since 17: returns 1 or -1 for them, 0 if the interval is finite.
inline int interval_infinity([[maybe_unused]] const Interval& interval) {
#if PG_VERSION_NUM >= 170000
  if (INTERVAL_IS_NOEND(&interval)) return 1;
  if (INTERVAL_IS_NOBEGIN(&interval)) return -1;
#endif
  return 0;
}

// Wait events get the extension's own name if the server supports it.
inline uint32 wait_event() {
#if PG_VERSION_NUM >= 170000
  static uint32 event = WaitEventExtensionNew("HydraExportUpload");
  return event;
#else
  return PG_WAIT_EXTENSION;
#endif
}

// What the server shows about the library in pg_get_loaded_modules().
#if PG_VERSION_NUM >= 180000
#define HYDRA_MODULE_MAGIC(name_, version_) PG_MODULE_MAGIC_EXT(.name = name_, .version = version_)
#else
#define HYDRA_MODULE_MAGIC(name_, version_) PG_MODULE_MAGIC
#endif

// What SIGNAL_ARGS declares, to pass to another signal handler; and in its place, parameters that
// the handler does not use.
#if PG_VERSION_NUM >= 190000
#define HYDRA_SIGNAL postgres_signal_arg, pg_siginfo
#define HYDRA_UNUSED_SIGNAL int, const pg_signal_info*
#else
#define HYDRA_SIGNAL postgres_signal_arg
#define HYDRA_UNUSED_SIGNAL int
#endif

// pg_available_wal_summaries() and related declarations.
#if PG_VERSION_NUM >= 170000
#define HYDRA_HAVE_WAL_SUMMARIES 1
#else
#define HYDRA_HAVE_WAL_SUMMARIES 0
#endif

}  // namespace hydra::pg::compat
