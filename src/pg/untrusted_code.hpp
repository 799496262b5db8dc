// Where code of somebody else runs in a process that has more rights than its author.
#pragma once

#include "pg/error.hpp"

namespace hydra::pg {

// Whatever a relation brings along (a view's body, casts, output and comparison functions,
// generated columns) is code of its owner. In this scope it runs as the server runs such code in
// REINDEX or REFRESH MATERIALIZED VIEW: as the owner, security-restricted, with a search_path that
// holds the server's own objects, and with all settings as they were before once the scope ends,
// whatever the code set. No query of our own runs in it.
//
// A cancel may be caught by such code. One that has not ended this scope after half a second ends
// the process, as SIGTERM does at once.
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

// Raises unless the owner of a function has the rights of the current role anyway: else its code
// would run with rights that its author does not have. Functions of the server itself pass. Raw.
void check_author(Oid function);

}  // namespace hydra::pg
