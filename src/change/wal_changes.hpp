// Which blocks changed in a stretch of WAL.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "change/wal_marks.hpp"
#include "pg/error.hpp"

namespace hydra::change {

// What the server's WAL summaries say of some files (PostgreSQL 17 or later, with summarize_wal =
// on), and WAL itself after the last of them: a summary ends at a checkpoint.
class WalChanges {
 public:
  using Blocks = std::vector<BlockNumber>;  // in order

  // Reads what changed in the main forks of these files of this database, from one position to
  // another, which is flushed. Nothing is known of them afterwards where WAL is not summarized,
  // where summaries are missing, or end too long ago. Throws pg::Error when a summary or WAL cannot
  // be read.
  void load(const std::vector<Oid>& files, Lsn from, Lsn to);

  // nullptr: not known.
  const Blocks* find(Oid file, Lsn from) const;

 private:
  std::map<std::pair<Oid, Lsn>, Blocks> blocks_;
};

}  // namespace hydra::change
