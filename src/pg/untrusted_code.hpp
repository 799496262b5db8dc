// Runs code of other roles in a process that has more privileges than the code's owner.
#pragma once

#include "pg/error.hpp"

namespace hydra::pg {

// Code that belongs to a relation (a view's body, casts, output and comparison functions, generated
// columns) is chosen by its owner. In this scope it runs in the way in which the server runs such
// code in REINDEX or REFRESH MATERIALIZED VIEW: as the owner, security-restricted, with a
// search_path that contains only the server's own objects. When the scope ends, all settings have
// their previous values, whatever the code set. No query of the extension runs in the scope.
//
// User code may catch a cancel. If a cancel has not ended this scope after half a second, the
// process ends as by SIGTERM.
class UntrustedCode {
 public:
  explicit UntrustedCode(Oid owner);
  ~UntrustedCode();
  UntrustedCode(const UntrustedCode&) = delete;
  UntrustedCode& operator=(const UntrustedCode&) = delete;

  // For signal handlers.
  static bool is_running();

 private:
  Oid role_;
  int flags_;
  int level_;
};

// Raises an error unless the owner of a function has the privileges of the current role anyway:
// otherwise its code would run with privileges that its owner does not have. Functions of the
// server itself are allowed. Raw.
void check_author(Oid function);

}  // namespace hydra::pg
