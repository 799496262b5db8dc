#include "pg/untrusted_code.hpp"

#include <csignal>

#include "pg/compat.hpp"

namespace hydra::pg {
namespace {

volatile std::sig_atomic_t scopes = 0;

// Raw.
Oid author_of(Oid function) {
  HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
  if (!HeapTupleIsValid(tuple)) {
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
                    errmsg("function with OID %u does not exist", function)));
  }
  const Oid author = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->proowner;
  ReleaseSysCache(tuple);
  return author;
}

}  // namespace

UntrustedCode::UntrustedCode(Oid owner) {
  GetUserIdAndSecContext(&role_, &flags_);
  level_ = NewGUCNestLevel();
  call([]() noexcept { compat::restrict_search_path(); });
  SetUserIdAndSecContext(owner,
                         flags_ | SECURITY_LOCAL_USERID_CHANGE | SECURITY_RESTRICTED_OPERATION);
  scopes = scopes + 1;
}

UntrustedCode::~UntrustedCode() {
  scopes = scopes - 1;
  const int level = level_;
  try {
    call([=]() noexcept { AtEOXact_GUC(false, level); });
  } catch (const Error& error) {
    // A process whose settings are those of another role must run nothing more.
    const char* message = error.what();
    ereport(FATAL, errmsg_internal("could not restore settings: %s", message));
  }
  SetUserIdAndSecContext(role_, flags_);
}

bool UntrustedCode::is_running() {
  return scopes > 0;
}

void check_author(Oid function) {
  if (function < FirstNormalObjectId) return;
  const Oid author = author_of(function);
  const Oid reader = GetUserId();
  if (has_privs_of_role(author, reader)) return;
  ereport(ERROR,
          (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
           errmsg("function %s would run with the rights of role \"%s\"",
                  format_procedure_qualified(function), GetUserNameFromId(reader, false)),
           errdetail("It belongs to role \"%s\", which does not have these rights.",
                     GetUserNameFromId(author, false)),
           errhint("Let the function and the table belong to the same role, or the function to a "
                   "superuser.")));
}

}  // namespace hydra::pg
