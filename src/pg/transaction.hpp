// Transactions, subtransactions and roles as scopes.
#pragma once

#include "pg/error.hpp"

namespace hydra::pg {

// One transaction of a worker, and its memory context. Aborted when the scope ends without
// commit(). READ COMMITTED, so that only the snapshots that are held on purpose keep VACUUM back.
class Transaction {
 public:
  enum class Mode { read_write, read_only };
  explicit Transaction(Mode mode = Mode::read_write);
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  // Waits until the commit is on disk, whatever synchronous_commit says.
  void commit();

  // From now on it waits neither for standbys nor long for locks: somebody waits for this process.
  void hurry();

 private:
  MemoryContext previous_;
  bool open_ = true;
};

// A subtransaction that is always rolled back: what it locked is released, what it read stays in
// the caller's own objects.
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

// Runs the code of the scope with the rights of another role.
class AsRole {
 public:
  // flags: of SetUserIdAndSecContext(), e.g. SECURITY_RESTRICTED_OPERATION.
  AsRole(Oid role, int flags);
  ~AsRole();
  AsRole(const AsRole&) = delete;
  AsRole& operator=(const AsRole&) = delete;

 private:
  Oid role_;
  int flags_;
};

// A memory context for the code of the scope; what was allocated in it goes with it.
class MemoryScope {
 public:
  explicit MemoryScope(const char* name);  // name: a literal
  ~MemoryScope();
  MemoryScope(const MemoryScope&) = delete;
  MemoryScope& operator=(const MemoryScope&) = delete;

 private:
  MemoryContext context_;
  MemoryContext previous_;
};

// Whether the extension is installed. If so it stays until the transaction ends: DROP EXTENSION,
// which locks the extension before its tables, waits, and cannot get into a deadlock with us.
// Throws WrongVersion where its SQL objects are of another version than this library.
bool hold_extension();

// The role that owns the extension, whose tables only it may write. Throws where the extension is
// not installed, and WrongVersion as above.
Oid extension_owner();

// Runs the code of the scope as that role.
class AsOwner : public AsRole {
 public:
  AsOwner() : AsRole(extension_owner(), SECURITY_LOCAL_USERID_CHANGE) {}
};

}  // namespace hydra::pg
