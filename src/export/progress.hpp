// The progress of running exports, in shared memory: the view hydra_export.progress.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tables/history.hpp"

namespace hydra::exporting {

// The progress of one model of a running export.
struct Progress {
  std::int64_t export_id = 0;
  std::string model;
  // "waiting", "waiting for locks", "reading", "uploading", "writing the manifest", "failed"
  std::string phase;
  std::uint64_t blocks_total = 0, blocks_scanned = 0, blocks_skipped = 0;
  std::uint64_t rows = 0, bytes_written = 0, bytes_uploaded = 0, objects = 0;
  tables::Micros started_at = 0;  // of the export, then of the model
  int pid = 0;
};

// Receives the progress of an export.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void claimed(const tables::Claim& claim) { (void)claim; }
  virtual void reading(const Progress& progress) { (void)progress; }  // called often
  virtual void model_read(const tables::ModelRow& row, std::uint64_t rows) {
    (void)row;
    (void)rows;
  }
  // An upload of a model failed and is retried; called once per model.
  virtual void retrying(const std::string& model, const std::string& text) {
    (void)model;
    (void)text;
  }
  // All rows are read; called often.
  virtual void uploading(std::uint64_t rows, std::uint64_t arrived) {
    (void)rows;
    (void)arrived;
  }
};

// Nothing here raises errors. Without preloading there is no shared memory, and nothing is shown.
void request_progress_memory();
void attach_progress_memory();

// Shows the models of this process's export until hide_progress() or the process's end. If the
// shared memory is full (1,024 models of concurrent exports), the remaining models are not shown.
void show_models(const std::vector<Progress>& models);
void hide_progress();

// model: its index in the list.
void show_progress(std::size_t model, const Progress& progress);
void show_phase(std::size_t model, const char* phase);
void show_uploads(std::size_t model, std::uint64_t bytes, std::uint64_t objects);

// The progress of all models of exports that run in this database.
std::vector<Progress> list_progress();

}  // namespace hydra::exporting
