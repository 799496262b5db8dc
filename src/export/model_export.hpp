// The export of one model: its tables read under one snapshot, its objects handed to the uploader.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/object_name.hpp"
#include "base/pacer.hpp"
#include "catalog/history.hpp"
#include "export/model_plan.hpp"
#include "export/progress.hpp"
#include "export/uploader.hpp"
#include "json/manifest.hpp"
#include "record/line_writer.hpp"

namespace hydra::exporting {

// What is known of a model after its reading. Whether its objects arrived is known only after all
// uploads have ended.
struct ModelResult {
  catalog::ModelRow row;  // objects are filled in at the end
  std::vector<catalog::Baseline> baselines;
  json::ManifestModel manifest;  // likewise
  bool full = false;
};

class TableScan;

class ModelExport {
 public:
  // number: the model's place in the export, for the uploader.
  ModelExport(const catalog::Model& model, std::size_t number, const catalog::Destination& target,
              const catalog::Claim& claim, Uploader& uploader, Observer& observer);

  // Reads the model, with the given snapshot where that can be. Runs in a subtransaction of its
  // own: locks are released at its end. A model that cannot be read has status 'failed' in the
  // result; a cancel and the loss of the connection to S3 are thrown.
  ModelResult run(const change::Reading& shared, const change::Horizon& horizon);

  // Rows read so far, arrived or not.
  std::uint64_t rows() const { return rows_; }

 private:
  void read(const change::Reading& shared, const change::Horizon& horizon);
  void read_rows(const ModelPlan& plan, const change::Reading& reading);
  void read_leaf(const Leaf& leaf, const change::Reading& reading, record::LineWriter& writer,
                 const record::Key& key);
  void wait_for_room();
  void stop_if_useless();
  void flush();
  void note(const ModelPlan& plan, const change::Reading& reading, bool fresh);
  void give_way(const ModelPlan& plan);
  void pace(const TableScan& scan);
  void show(const char* phase, const TableScan* scan);
  std::string next_key(const record::ClosedObject& object);

  const catalog::Model& model_;
  const std::size_t number_;
  const catalog::Destination& target_;
  const catalog::Claim& claim_;
  Uploader& uploader_;
  Observer& observer_;
  const ModelPlan* plan_ = nullptr;
  std::unique_ptr<record::ObjectBuffer> object_;
  std::uint64_t objects_ = 0;
  std::uint64_t rows_ = 0;
  std::uint64_t bytes_ = 0;
  Pacer pacer_;
  std::uint64_t paced_ = 0;  // bytes noted with it
  std::chrono::steady_clock::time_point looked_;
  ModelResult result_;
};

}  // namespace hydra::exporting
