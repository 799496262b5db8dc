// Timeline history files, pg_wal/NNNNNNNN.history: a line for each earlier timeline, with its
// number, where it ended, and why.
#pragma once

#include <cstdint>
#include <string_view>

namespace hydra {

// Whether one of the timelines from the given one on ended at a recovery target (a point-in-time
// restore), and not at the end of WAL (the promotion of a standby). A history without lines says
// neither, and counts as a restore.
bool ended_at_recovery_target(std::string_view history, std::int64_t since);

}  // namespace hydra
