// A snapshot of transactions that can be stored: plain C++, with 64-bit ids.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hydra::change {

// A transaction id with its epoch, which does not wrap around.
using FullXid = std::uint64_t;

// Ids 0, 1 and 2 are reserved; rows of 1 and 2 are visible to all.
inline constexpr std::uint32_t first_normal_xid = 3;

// From this many ids after a baseline on, a 32-bit id could mean two transactions.
inline constexpr FullXid widening_limit = FullXid{1} << 31;

// The newest full id with these low 32 bits that is not after `next`.
constexpr FullXid widen(std::uint32_t xid, FullXid next) {
  const FullXid candidate = (next & ~FullXid{0xFFFFFFFF}) | xid;
  if (candidate <= next) return candidate;
  return candidate >= (FullXid{1} << 32) ? candidate - (FullXid{1} << 32) : 0;
}

// Which transactions, including subtransactions, had ended when the snapshot was taken.
//
// All ids below xmin had ended, and no id from xmax on; of those in between, all but the ones in
// progress. The in-progress list must include the ids of subtransactions: a row has the id of the
// subtransaction that wrote it, and if that id were missing here, the row would look old and be
// lost.
// Text form: that of pg_snapshot, "xmin:xmax:id,id,…", sorted, without duplicates.
class XidSnapshot {
 public:
  XidSnapshot() = default;
  // in_progress may be unsorted, and may contain duplicates and ids outside [xmin, xmax).
  XidSnapshot(FullXid xmin, FullXid xmax, std::vector<FullXid> in_progress);

  // A snapshot without a list of ids: everything from xmin on counts as not seen. This sends more
  // rows than needed, never fewer.
  static XidSnapshot overflowed(FullXid xmin) { return XidSnapshot(xmin, xmin, {}); }

  // Throws std::invalid_argument if the text is not a pg_snapshot.
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

// Whether the baseline did not see the writer of a row version: this test decides which rows are
// exported. `raw` is the row's 32-bit xmin; `next` is an id not yet assigned to any transaction
// that the scanning snapshot sees.
inline bool is_changed(std::uint32_t raw, const XidSnapshot& baseline, FullXid next) noexcept {
  return raw >= first_normal_xid && !baseline.saw(widen(raw, next));
}

}  // namespace hydra::change
