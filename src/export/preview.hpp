// What an export would do now.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tables/model.hpp"

namespace hydra::exporting {

struct ModelPreview {
  std::string model;
  std::string kind;  // '' where the export would fail
  std::uint64_t blocks_total = 0, blocks_to_read = 0;
  std::optional<std::uint64_t> rows, bytes;  // estimates, at most; nothing where an index decides
  std::string reason;                        // why full, why the whole table, or why it would fail
};

// Looks at the model's visibility map and page headers, and reads no row. Inside a transaction,
// in a subtransaction of its own, so that no lock stays.
ModelPreview preview_model(const tables::Model& model);

}  // namespace hydra::exporting
