// A snapshot of transactions that outlives them: plain C++, with 64-bit ids.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hydra::change {

// A transaction id with its epoch, which never wraps.
using FullXid = std::uint64_t;

// Ids 0, 1 and 2 are the server's own; rows of the last two are visible to everybody.
inline constexpr std::uint32_t first_normal_xid = 3;

// From this many ids since a baseline on, a 32-bit id could stand for two transactions.
inline constexpr FullXid widening_limit = FullXid{1} << 31;

// The newest full id with these low 32 bits that is not after `next`.
constexpr FullXid widen(std::uint32_t xid, FullXid next) {
  const FullXid candidate = (next & ~FullXid{0xFFFFFFFF}) | xid;
  if (candidate <= next) return candidate;
  return candidate >= (FullXid{1} << 32) ? candidate - (FullXid{1} << 32) : 0;
}

// Which transactions, subtransactions included, had ended when the snapshot was taken.
//
// Every id below xmin had; no id from xmax on had; in between, all but those in progress. The
// in-progress list must hold the ids of subtransactions too: a row carries the id of the
// subtransaction that wrote it, and one that is missing here would look old, and be lost.
// Text form: that of pg_snapshot, "xmin:xmax:id,id,…", sorted, without doubles.
class XidSnapshot {
 public:
  XidSnapshot() = default;
  // in_progress may be in any order, and may hold doubles and ids outside [xmin, xmax).
  XidSnapshot(FullXid xmin, FullXid xmax, std::vector<FullXid> in_progress);

  // A snapshot that knows nothing from xmin on: what is written there later counts as changed,
  // as does what was (more rows than needed, never fewer).
  static XidSnapshot overflowed(FullXid xmin) { return XidSnapshot(xmin, xmin, {}); }

  // Throws std::invalid_argument when this is no pg_snapshot.
  static XidSnapshot parse(std::string_view text);
  std::string text() const;

  FullXid xmin() const noexcept { return xmin_; }
  FullXid xmax() const noexcept { return xmax_; }

  // Whether a committed transaction had ended when the snapshot was taken.
  bool saw(FullXid xid) const noexcept;

 private:
  FullXid xmin_ = first_normal_xid;
  FullXid xmax_ = first_normal_xid;
  std::vector<FullXid> in_progress_;
};

// Whether the writer of a row version is one that the baseline did not see: the test that decides
// which rows are exported. `raw` is the row's 32-bit xmin, `next` an id not yet given to any
// transaction that the scanning snapshot sees.
inline bool is_changed(std::uint32_t raw, const XidSnapshot& baseline, FullXid next) noexcept {
  return raw >= first_normal_xid && !baseline.saw(widen(raw, next));
}

}  // namespace hydra::change
