// Blocks signals while libcurl runs.
#pragma once

#include <pthread.h>

#include <csignal>

namespace hydra::s3 {

// Blocks the calling thread's signals for its lifetime. A resolver thread that libcurl starts
// meanwhile inherits the mask, so the process's handlers never run in it; and no handler can jump
// out of a callback. Signals of faults stay unblocked: a blocked one would kill the process without
// a message.
class SignalsBlocked {
 public:
  SignalsBlocked() noexcept {
    sigset_t blocked;
    sigfillset(&blocked);
    for (int fault : {SIGABRT, SIGBUS, SIGILL, SIGSEGV, SIGSYS, SIGTRAP})
      sigdelset(&blocked, fault);
    pthread_sigmask(SIG_SETMASK, &blocked, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace hydra::s3
