// The channel between the caller of export_now() and the worker that runs its export.
#pragma once

#include <string>

#include "base/archive.hpp"
#include "pg/error.hpp"

namespace hydra::schedule {

// Why the request was refused: the parts of an error.
struct Refusal {
  std::string message, detail, hint;
};

template <typename Archive>
void fields(Archive& archive, Refusal& refusal) {
  archive(refusal.message, refusal.detail, refusal.hint);
}

// The result of check_access(); '' stands for NULL.
struct CheckResult {
  std::string key, endpoint, region, source, expires_at, conditional;
};

template <typename Archive>
void fields(Archive& archive, CheckResult& result) {
  auto& [key, endpoint, region, source, expires_at, conditional] = result;
  archive(key, endpoint, region, source, expires_at, conditional);
}

// A message of the worker: one letter, and a text or a packed struct (base/archive.hpp).
struct Message {
  enum Kind : char {
    claimed = 'I',    // the export's id
    progress = 'P',   // text of a NOTICE
    succeeded = 'S',  // the end, in one of four ways; the text is an error message
    partial = 'W',
    failed = 'F',
    refused = 'R',  // nothing was exported: a packed Refusal
    checked = 'C',  // the end of a check: a packed CheckResult
  };
  Kind kind;
  std::string text;
};

// What the caller requests.
enum class Task { run_export, check_access };

// The caller's end: shared memory with the request, and a queue of messages.
class Caller {
 public:
  explicit Caller(const std::string& destination, Task task = Task::run_export);
  ~Caller();
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  dsm_handle handle() const;

  // Call once after the worker is started, so that the end of its process ends the messages.
  void listen_to(BackgroundWorkerHandle* worker);

  // Waits for the next message of the worker; false if it has ended.
  bool receive(Message* message);

 private:
  dsm_segment* segment_;
  shm_mq_handle* queue_ = nullptr;
};

// The worker's end.
class Listener {
 public:
  explicit Listener(dsm_handle handle);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  const std::string& destination() const { return destination_; }
  Task task() const { return task_; }

  // Does nothing if the caller has ended.
  void send(const Message& message);

 private:
  dsm_segment* segment_;
  shm_mq_handle* queue_;
  std::string destination_;
  Task task_;
};

}  // namespace hydra::schedule
