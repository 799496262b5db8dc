// The workers that read a model together with the export's main process: PostgreSQL's parallel
// workers, which have its snapshot, locks, role and settings. Each reads the blocks that it is
// given, uploads its own objects, and sends back reports about them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "export/model_reader.hpp"
#include "export/s3_connection.hpp"
#include "s3/credentials/shared.hpp"

namespace hydra::exporting {

// How many workers to use: as many as the planner would use for the number of blocks to be
// examined, within the limits of the settings; 0 if only one process can read the model.
int wanted_workers(const ModelPlan& plan, std::size_t most);

// The workers of one model. While this object exists, the process is in parallel mode: it can
// neither write nor open subtransactions. Create and destroy it within one subtransaction, whose
// abort ends workers that still run.
class ScanWorkers {
 public:
  // Starts as many workers as the server can provide, possibly none. The snapshot must stay
  // registered. memory: the limit for each worker.
  ScanWorkers(const ReadTask& task, const Account& account, std::size_t memory, Snapshot snapshot,
              int workers, std::size_t number, Uploader& uploader);
  ~ScanWorkers();
  ScanWorkers(const ScanWorkers&) = delete;
  ScanWorkers& operator=(const ScanWorkers&) = delete;

  SharedReading& shared() { return *shared_; }
  int started() const { return static_cast<int>(queues_.size()); }

  // Passes reported objects and failures to the uploader. True while workers are running. Reports
  // set this process's latch.
  bool collect();

  // Call after collect() has returned false. Throws pg::Error if a worker failed.
  void finish();

  ReadCounts counts() const;

 private:
  struct Queue {
    shm_mq_handle* handle = nullptr;
    ReadCounts counts;
    bool ended = false;
  };
  bool receive(Queue& queue);
  void share_keys();

  std::size_t number_;
  Uploader& uploader_;
  ParallelContext* context_ = nullptr;
  SharedReading* shared_ = nullptr;
  s3::credentials::SharedKeys* keys_ = nullptr;
  s3::Credentials last_keys_;          // the ones published last
  std::uint32_t renewed_version_ = 0;  // the last version that was refused
  std::vector<Queue> queues_;
};

}  // namespace hydra::exporting
