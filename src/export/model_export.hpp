// The export of one model: reads its tables under one snapshot, and passes its objects to the
// uploader.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "bucket/manifest.hpp"
#include "export/model_reader.hpp"
#include "export/progress.hpp"
#include "export/s3_connection.hpp"
#include "tables/history.hpp"

namespace hydra::exporting {

// What is known of a model after it was read. Whether its objects were stored is known only after
// all uploads have ended.
struct ModelResult {
  tables::ModelRow row;  // objects are filled in at the end
  std::vector<tables::Baseline> baselines;
  bucket::ManifestModel manifest;  // likewise
  bool full = false;
  std::string full_next;  // why the next export has to be full; '' where it has not
};

class ScanWorkers;

class ModelExport {
 public:
  // number: the model's place in the export, for the uploader.
  ModelExport(const tables::Model& model, std::size_t number, const Account& account,
              const tables::Claim& claim, Uploader& uploader, Observer& observer);

  // Reads the model, with the given snapshot if possible; changes: up to that snapshot. Runs in its
  // own subtransaction, whose end releases the locks. If the model cannot be read, the result has
  // status 'failed'; a cancel and the loss of the connection to S3 are thrown.
  ModelResult run(const change::ExportSnapshot& shared, const change::BeforeSnapshot& before,
                  const change::WalChanges& changes);

  // Rows read so far, whether or not they were stored.
  std::uint64_t rows() const { return counts_.rows; }

 private:
  void read(const change::ExportSnapshot& shared, const change::BeforeSnapshot& before,
            const change::WalChanges& changes);
  void read_anew(ModelPlan& plan, std::optional<change::ExportSnapshot>& fresh,
                 const change::BeforeSnapshot& before);
  void read_rows(const ModelPlan& plan, const change::ExportSnapshot& current);
  void read_alone(const ReadTask& task, const change::ExportSnapshot& current);
  void read_with_workers(ReadTask& task, const change::ExportSnapshot& current, int workers);
  void note_whole_tables(SharedReading& shared);
  void become_full();
  void replace(const Leaf& leaf);
  void replace_unknown();
  void finish_reading(ModelReader& reader, SharedReading& shared, ScanWorkers* workers);
  std::size_t most_workers() const;
  ReadTask task_of(const ModelPlan& plan, const change::ExportSnapshot& current) const;
  void stop_if_useless();
  void note(const ModelPlan& plan, const change::ExportSnapshot& current, bool fresh);
  void show(const char* phase);

  const tables::Model& model_;
  const std::size_t number_;
  const Account& account_;
  const tables::Claim& claim_;
  Uploader& uploader_;
  Observer& observer_;
  const ModelPlan* plan_ = nullptr;
  ReadCounts counts_;  // of all processes
  ModelResult result_;
};

}  // namespace hydra::exporting
