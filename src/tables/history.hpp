// Rows of hydra_export.exports, export_models and export_objects as structs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/block_counts.hpp"
#include "bucket/manifest.hpp"
#include "tables/destination.hpp"
#include "tables/model.hpp"

namespace hydra::tables {

enum class StartedBy { schedule, user, retry };

// An export as claimed: its row is written, its folder taken.
struct Claim {
  std::int64_t export_id = 0;
  std::string folder;
  Micros started_at = 0;
};

// An object as the manifest describes it. Texts are in UTF-8; a table's name is in the manifest
// alone.
struct ObjectRow : bucket::ManifestObject {
  Micros uploaded_at = 0;
};

struct ModelRow {
  std::string model, relation;
  std::string kind;    // 'full', 'incremental', or '' when it did not come so far
  std::string status;  // 'succeeded', 'failed' or 'cancelled'
  std::optional<Micros> started_at, finished_at;
  std::string error, reason, snapshot, lsn;  // '' for none
  std::optional<std::int64_t> previous_export_id;
  std::uint64_t blocks_total = 0;  // of the tables that were scanned
  BlockCounts blocks;
  int workers = 0;  // that read it together with the export's own process
  std::vector<ObjectRow> objects;

  std::uint64_t rows() const;
  std::uint64_t bytes() const;
};

// Inserts a running export into the history, takes the next folder, notes the start with the
// schedule (unless the user started it) and each model's attempt.
Claim claim_export(const Destination& destination, const std::vector<Model>& models,
                   StartedBy started_by, Micros now);

// Takes the folder after the claimed one: another exporter has that.
void take_next_folder(Claim& claim, const Destination& destination);

// Writes an export's end: its models and objects, its sums, its status.
void finish_export(const Claim& claim, const std::string& status, const std::string& error,
                   const std::vector<ModelRow>& models);

// Marks the destination's exports that still say 'running' as failed. The caller holds the
// destination's lock, so none of them is alive.
void fail_abandoned(const std::string& destination);

// Removes exports that started longer ago than this, but for those that run.
void remove_old_history(int minutes);

}  // namespace hydra::tables
