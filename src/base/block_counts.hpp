// Counts of a table's blocks, by how a scan treated them.
#pragma once

#include <cstdint>

namespace hydra {

struct BlockCounts {
  std::uint64_t read = 0;
  std::uint64_t skipped_by_summary = 0;  // not read, as WAL has no change of them
  std::uint64_t skipped_by_map = 0;      // not read, as the visibility map shows no change
  std::uint64_t skipped_by_lsn = 0;      // only the header was read

  std::uint64_t skipped() const { return skipped_by_summary + skipped_by_map + skipped_by_lsn; }

  BlockCounts& operator+=(const BlockCounts& other) {
    read += other.read;
    skipped_by_summary += other.skipped_by_summary;
    skipped_by_map += other.skipped_by_map;
    skipped_by_lsn += other.skipped_by_lsn;
    return *this;
  }
};

template <typename Archive>
void fields(Archive& archive, BlockCounts& counts) {
  archive(counts.read, counts.skipped_by_summary, counts.skipped_by_map, counts.skipped_by_lsn);
}

}  // namespace hydra
