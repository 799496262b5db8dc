// The workers that read a model together with the export's own process: PostgreSQL's parallel
// workers, which have its snapshot, locks, role and settings. Each reads the blocks that it is
// given and uploads its own objects; what comes back are reports of them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "export/model_reader.hpp"
#include "export/s3_connection.hpp"
#include "s3/credentials/shared.hpp"

namespace hydra::exporting {

// How many workers are worth it, as the planner judges by the blocks to be looked at, and are
// allowed; 0 where the model can be read by one process only.
int wanted_workers(const ModelPlan& plan, std::size_t most);

// One model's workers. While they are there the process is in parallel mode: it can neither write
// nor open subtransactions. To be made and dropped within one subtransaction, whose abort ends
// what still runs.
class ScanWorkers {
 public:
  // Starts as many of them as the server has to give, perhaps none. The snapshot is registered and
  // stays so. memory: each one's.
  ScanWorkers(const ReadTask& task, const Account& account, std::size_t memory, Snapshot snapshot,
              int workers, std::size_t number, Uploader& uploader);
  ~ScanWorkers();
  ScanWorkers(const ScanWorkers&) = delete;
  ScanWorkers& operator=(const ScanWorkers&) = delete;

  SharedReading& shared() { return *shared_; }
  int started() const { return static_cast<int>(queues_.size()); }

  // Hands the objects, and failures, that were reported to the uploader. True while some are at
  // work. Reports set this process's latch.
  bool collect();

  // After collect() has returned false: throws pg::Error where one has not ended well.
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
  s3::Credentials last_keys_;          // that were published
  std::uint32_t renewed_version_ = 0;  // the last that was refused
  std::vector<Queue> queues_;
};

}  // namespace hydra::exporting
