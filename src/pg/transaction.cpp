#include "pg/transaction.hpp"

#include "pg/extension_version.hpp"

namespace hydra::pg {

Transaction::Transaction(Mode mode) : previous_(CurrentMemoryContext) {
  call([=]() noexcept {
    SetCurrentStatementStartTimestamp();
    StartTransactionCommand();
    XactIsoLevel = XACT_READ_COMMITTED;
    XactReadOnly = mode == Mode::read_only;
    pgstat_report_activity(STATE_RUNNING, nullptr);
  });
  MemoryContextSwitchTo(TopTransactionContext);
}

Transaction::~Transaction() {
  if (!open_) return;
  MemoryContextSwitchTo(previous_);
  try {
    call([]() noexcept {
      AbortCurrentTransaction();
      pgstat_report_activity(STATE_IDLE, nullptr);
    });
  } catch (const Error& error) {
    // If a transaction cannot be aborted, the process cannot continue.
    const char* message = error.what();
    ereport(FATAL, errmsg_internal("could not abort a transaction: %s", message));
  }
}

void Transaction::commit() {
  MemoryContextSwitchTo(previous_);
  call([]() noexcept {
    ForceSyncCommit();
    CommitTransactionCommand();
    pgstat_report_stat(false);
    pgstat_report_activity(STATE_IDLE, nullptr);
  });
  open_ = false;
}

void Transaction::hurry() {
  call([]() noexcept {
    for (const auto& [name, value] :
         {std::pair{"synchronous_commit", "local"}, std::pair{"lock_timeout", "200ms"}}) {
      (void)set_config_option(name, value, PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL, true, 0,
                              false);
    }
  });
}

Subtransaction::Subtransaction() : context_(CurrentMemoryContext), owner_(CurrentResourceOwner) {
  call([this]() noexcept {
    BeginInternalSubTransaction(nullptr);
    MemoryContextSwitchTo(context_);
  });
}

Subtransaction::~Subtransaction() {
  try {
    call([]() noexcept { RollbackAndReleaseCurrentSubTransaction(); });
    MemoryContextSwitchTo(context_);
    CurrentResourceOwner = owner_;
  } catch (const Error& error) {
    const char* message = error.what();
    ereport(FATAL, errmsg_internal("could not roll back a subtransaction: %s", message));
  }
}

AsRole::AsRole(Oid role, int flags) {
  GetUserIdAndSecContext(&role_, &flags_);
  SetUserIdAndSecContext(role, flags_ | flags);
}

AsRole::~AsRole() {
  SetUserIdAndSecContext(role_, flags_);
}

MemoryScope::MemoryScope(const char* name) {
  context_ = call([=]() noexcept {
    // The macro requires a literal; the name is one, but the compiler cannot see that here.
    return AllocSetContextCreateInternal(CurrentMemoryContext, name, ALLOCSET_DEFAULT_SIZES);
  });
  previous_ = MemoryContextSwitchTo(context_);
}

MemoryScope::~MemoryScope() {
  MemoryContextSwitchTo(previous_);
  MemoryContextDelete(context_);
}

namespace {

// The extension's entry in pg_extension; no owner if it is not installed.
struct Installed {
  Oid owner;
  char version[64];
};

// Raw. The extension's entry is found by a scan, because there is no syscache for it.
Installed read_extension() {
  Installed installed{};
  Relation relation = table_open(ExtensionRelationId, AccessShareLock);
  ScanKeyData key;
  ScanKeyInit(&key, Anum_pg_extension_extname, BTEqualStrategyNumber, F_NAMEEQ,
              CStringGetDatum("hydra_export"));
  SysScanDesc scan = systable_beginscan(relation, ExtensionNameIndexId, true, nullptr, 1, &key);
  HeapTuple tuple = systable_getnext(scan);
  if (HeapTupleIsValid(tuple)) {
    bool null = false;
    const Datum version =
        heap_getattr(tuple, Anum_pg_extension_extversion, RelationGetDescr(relation), &null);
    installed.owner = (reinterpret_cast<Form_pg_extension>(GETSTRUCT(tuple)))->extowner;
    if (!null) strlcpy(installed.version, TextDatumGetCString(version), sizeof(installed.version));
  }
  systable_endscan(scan);
  table_close(relation, AccessShareLock);
  return installed;
}

}  // namespace

bool hold_extension() {
  const Installed installed = call([]() noexcept {
    const Oid extension = get_extension_oid("hydra_export", true);
    if (!OidIsValid(extension)) return Installed{};
    LockDatabaseObject(ExtensionRelationId, extension, 0, AccessShareLock);
    return get_extension_oid("hydra_export", true) == extension ? read_extension() : Installed{};
  });
  if (!OidIsValid(installed.owner)) return false;
  check_version(installed.version);
  return true;
}

Oid extension_owner() {
  const Installed installed = call([]() noexcept { return read_extension(); });
  if (!OidIsValid(installed.owner)) {
    throw Error(ERRCODE_UNDEFINED_OBJECT,
                "extension \"hydra_export\" is not installed in this database", "",
                "Run CREATE EXTENSION hydra_export.");
  }
  check_version(installed.version);
  return installed.owner;
}

}  // namespace hydra::pg
