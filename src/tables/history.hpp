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

// An export after its claim: its row is written, its folder chosen.
struct Claim {
  std::int64_t export_id = 0;
  std::string folder;
  Micros started_at = 0;
};

// An object as the manifest describes it. Texts are in UTF-8; the table's name is only in the
// manifest.
struct ObjectRow : bucket::ManifestObject {
  Micros uploaded_at = 0;
};

struct ModelRow {
  std::string model, relation;
  std::string kind;    // 'full', 'incremental', or '' if it failed before that was known
  std::string status;  // 'succeeded', 'failed' or 'cancelled'
  std::optional<Micros> started_at, finished_at;
  std::string error, reason, snapshot, lsn;  // '' if none
  std::optional<std::int64_t> previous_export_id;
  std::uint64_t blocks_total = 0;  // of the tables that were scanned
  BlockCounts blocks;
  int workers = 0;  // scan workers that read it together with the export's main process
  std::vector<ObjectRow> objects;

  std::uint64_t rows() const;
  std::uint64_t bytes() const;
};

// Inserts a running export into the history, takes the next folder, and records each model's
// attempt, and the start in the schedule's state (unless the user started it).
Claim claim_export(const Destination& destination, const std::vector<Model>& models,
                   StartedBy started_by, Micros now);

// Takes the folder after the claimed one, which another exporter has.
void take_next_folder(Claim& claim, const Destination& destination);

// Records an export's end: its models and objects, totals and status.
void finish_export(const Claim& claim, const std::string& status, const std::string& error,
                   const std::vector<ModelRow>& models);

// Marks the destination's exports with status 'running' as failed. The caller holds the
// destination's lock, so none of them is alive.
void fail_abandoned(const std::string& destination);

// Removes exports that started longer ago than this, except running ones.
void remove_old_history(int minutes);

}  // namespace hydra::tables
