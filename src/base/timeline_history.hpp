// pg_wal/NNNNNNNN.history: a line for each timeline before the current one, with its number, where
// it ended, and why.
#pragma once

#include <cstdint>
#include <string_view>

namespace hydra {

// Whether one of the timelines since the given one ended where a recovery target said (a restore to
// a point in time), and not where WAL ended (the promotion of a standby). A history without any
// line tells nothing, and counts as a restore.
bool ended_at_recovery_target(std::string_view history, std::int64_t since);

}  // namespace hydra
