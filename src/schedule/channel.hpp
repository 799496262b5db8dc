// Between the caller of export_now() and the worker that runs its export.
#pragma once

#include <string>

#include "base/archive.hpp"
#include "pg/error.hpp"

namespace hydra::schedule {

// Why nothing was done: the parts of an error.
struct Refusal {
  std::string message, detail, hint;
};

template <typename Archive>
void fields(Archive& archive, Refusal& refusal) {
  archive(refusal.message, refusal.detail, refusal.hint);
}

// What check_access() returns; '' stands for NULL.
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
    progress = 'P',   // words for a NOTICE
    succeeded = 'S',  // the end, in one of four ways; then an error's words
    partial = 'W',
    failed = 'F',
    refused = 'R',  // nothing was exported: a packed Refusal
    checked = 'C',  // the end of a check: a packed CheckResult
  };
  Kind kind;
  std::string text;
};

// What a caller wants done.
enum class Task { run_export, check_access };

// The caller's end: shared memory with what is asked for, and a queue of messages.
class Caller {
 public:
  explicit Caller(const std::string& destination, Task task = Task::run_export);
  ~Caller();
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  dsm_handle handle() const;

  // Once, when the worker is started: the end of its process is then an end of the messages.
  void listen_to(BackgroundWorkerHandle* worker);

  // Waits for the next message of the worker; false when it has ended.
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

  // The caller may have gone: then nothing happens.
  void send(const Message& message);

 private:
  dsm_segment* segment_;
  shm_mq_handle* queue_;
  std::string destination_;
  Task task_;
};

}  // namespace hydra::schedule
