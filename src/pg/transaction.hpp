// Transactions, subtransactions and roles as scopes.
#pragma once

#include "pg/error.hpp"

namespace hydra::pg {

// One transaction of a worker, and its memory context. Aborted if the scope ends without commit().
// READ COMMITTED, so that only snapshots that are held on purpose hold back VACUUM.
class Transaction {
 public:
  enum class Mode { read_write, read_only };
  explicit Transaction(Mode mode = Mode::read_write);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Waits until the commit is on disk, whatever synchronous_commit is.
  void commit();

  // From now on the transaction does not wait for standbys, and waits for locks only briefly,
  // because another process waits for this one.
  void hurry();

 private:
  MemoryContext previous_;
  bool open_ = true;
};

// A subtransaction that is always rolled back: its locks are released; results stay in objects of
// the caller.
class Subtransaction {
 public:
  Subtransaction();
  ~Subtransaction();
  Subtransaction(const Subtransaction&) = delete;
  Subtransaction& operator=(const Subtransaction&) = delete;

 private:
  MemoryContext context_;
  ResourceOwner owner_;
};

// Runs the code of the scope with the privileges of another role.
class AsRole {
 public:
  // flags: for SetUserIdAndSecContext(), e.g. SECURITY_RESTRICTED_OPERATION.
  AsRole(Oid role, int flags);
  ~AsRole();
  AsRole(const AsRole&) = delete;
  AsRole& operator=(const AsRole&) = delete;

 private:
  Oid role_;
  int flags_;
};

// A memory context for the code of the scope; its end frees what was allocated in it.
class MemoryScope {
 public:
  explicit MemoryScope(const char* name);  // name: a string literal
  ~MemoryScope();
  MemoryScope(const MemoryScope&) = delete;
  MemoryScope& operator=(const MemoryScope&) = delete;

 private:
  MemoryContext context_;
  MemoryContext previous_;
};

// Whether the extension is installed. If so, it is locked until the transaction ends: DROP
// EXTENSION locks the extension before its tables, so it waits and cannot deadlock with this
// process. Throws WrongVersion if the SQL objects have another version than this library.
bool hold_extension();

// The role that owns the extension; only it may write the extension's tables. Throws if the
// extension is not installed, and WrongVersion as above.
Oid extension_owner();

// Runs the code of the scope as that role.
class AsOwner : public AsRole {
 public:
  AsOwner() : AsRole(extension_owner(), SECURITY_LOCAL_USERID_CHANGE) {}
};

}  // namespace hydra::pg
