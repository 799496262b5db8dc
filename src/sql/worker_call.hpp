// A database worker that an SQL function starts, and whose messages it receives.
#pragma once

#include <string>

#include "pg/worker.hpp"
#include "schedule/channel.hpp"

namespace hydra::sql {

// After done() was called, the worker continues on its own; before that, its work is cancelled when
// the caller stops receiving (for example because it is cancelled).
class WorkerCall {
 public:
  // Throws pg::Error on a standby, and if max_worker_processes has no free slot.
  WorkerCall(const std::string& destination, schedule::Task task);
  ~WorkerCall();
  WorkerCall(const WorkerCall&) = delete;
  WorkerCall& operator=(const WorkerCall&) = delete;

  // Waits for the next message; false if the worker has ended.
  bool receive(schedule::Message* message) { return caller_.receive(message); }

  void done() { done_ = true; }

 private:
  schedule::Caller caller_;
  BackgroundWorkerHandle* worker_;
  bool done_ = false;
};

// The error in a message of the kind `refused`.
pg::Error to_error(const std::string& text);

}  // namespace hydra::sql
