// Describes what an export would do now.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tables/model.hpp"

namespace hydra::exporting {

struct ModelPreview {
  std::string model;
  std::string kind;  // '' if the export would fail
  std::uint64_t blocks_total = 0, blocks_to_read = 0;
  // upper estimates; nothing if an index selects the rows
  std::optional<std::uint64_t> rows, bytes;
  // why full, why the whole table is read, or why it would fail
  std::string reason;
};

// Reads the model's visibility map and page headers, but no row. Call in a transaction; runs in its
// own subtransaction, which releases the locks.
ModelPreview preview_model(const tables::Model& model);

}  // namespace hydra::exporting
