// One export of one destination, from claim to record (doc/design.md, "One export").
#pragma once

#include <cstdint>
#include <string>

#include "export/progress.hpp"
#include "tables/history.hpp"

namespace hydra::exporting {

struct ExportResult {
  std::int64_t id = 0;
  std::string database;
  std::string status;  // as in hydra_export.exports
  std::string error;   // '' if none
};

// Runs an export in this worker, in its own transactions. The caller holds the destination's lock
// and is not in a transaction. Errors after the claim are reported in the result's status; an error
// while claiming or recording is thrown.
ExportResult run_export(const std::string& destination, tables::StartedBy started_by,
                        Observer& observer);

}  // namespace hydra::exporting
