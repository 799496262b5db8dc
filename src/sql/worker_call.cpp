#include "sql/worker_call.hpp"

#include <csignal>

namespace hydra::sql {

using pg::Error;

WorkerCall::WorkerCall(const std::string& destination, schedule::Task task)
    : caller_(destination, task) {
  if (RecoveryInProgress()) {
    throw Error(ERRCODE_READ_ONLY_SQL_TRANSACTION, "cannot export from a standby", "",
                "Exports run on the primary.");
  }
  worker_ = pg::start_worker({MyDatabaseId, caller_.handle()});
  if (worker_ == nullptr) {
    throw Error(ERRCODE_CONFIGURATION_LIMIT_EXCEEDED, "could not start a worker for the export",
                "All background worker slots of the server are in use.",
                "Try again later, or raise max_worker_processes.");
  }
  caller_.listen_to(worker_);
}

WorkerCall::~WorkerCall() {
  if (done_) return;
  pid_t pid = 0;
  if (GetBackgroundWorkerPid(worker_, &pid) == BGWH_STARTED) {
    kill(pid, SIGINT);
  } else {
    TerminateBackgroundWorker(worker_);
  }
}

Error to_error(const std::string& packed) {
  const auto refusal = unpack<schedule::Refusal>(packed);
  return Error(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE, refusal.message, refusal.detail,
               refusal.hint);
}

}  // namespace hydra::sql
