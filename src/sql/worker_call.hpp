// A database worker that a SQL function starts and listens to.
#pragma once

#include <string>

#include "pg/worker.hpp"
#include "schedule/channel.hpp"

namespace hydra::sql {

// The worker goes on for itself once done() was called; before, its work is cancelled when the
// caller stops listening (a cancel of its own, say).
class WorkerCall {
 public:
  // Throws pg::Error on a standby, and when max_worker_processes leaves no room.
  WorkerCall(const std::string& destination, schedule::Task task);
  ~WorkerCall();
  WorkerCall(const WorkerCall&) = delete;
  WorkerCall& operator=(const WorkerCall&) = delete;

  // Waits for the next message; false when the worker has ended.
  bool receive(schedule::Message* message) { return caller_.receive(message); }

  void done() { done_ = true; }

 private:
  schedule::Caller caller_;
  BackgroundWorkerHandle* worker_;
  bool done_ = false;
};

// The error that a message of the kind `refused` holds.
pg::Error to_error(const std::string& text);

}  // namespace hydra::sql
