// The blocks that changed in a range of WAL.
#pragma once

#include <map>
#include <utility>
#include <vector>

#include "change/wal_marks.hpp"
#include "pg/error.hpp"

namespace hydra::change {

// Reads the server's WAL summaries for some files (PostgreSQL 17 or later, with summarize_wal =
// on), and WAL itself after the last summary, because a summary ends at a checkpoint.
class WalChanges {
 public:
  using Blocks = std::vector<BlockNumber>;  // in order

  // Reads the changes in the main forks of these files of this database, from one position to
  // another, which must be flushed. find() returns nothing afterwards if WAL is not summarized, or
  // if summaries are missing or too old. Throws pg::Error if a summary or WAL cannot be read.
  void load(const std::vector<Oid>& files, Lsn from, Lsn to);

  // nullptr if unknown.
  const Blocks* find(Oid file, Lsn from) const;

 private:
  std::map<std::pair<Oid, Lsn>, Blocks> blocks_;
};

}  // namespace hydra::change
