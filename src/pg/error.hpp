// The two bridges between PostgreSQL's errors (a longjmp) and C++ exceptions.
//
// Inwards: call() runs a piece of code that may ereport(ERROR) and turns the error into a
// pg::Error. The lambda is noexcept, throws nothing and holds no object with a destructor, because
// the longjmp would skip it; it captures by reference what it shares with its surroundings. Code
// that is only run inside such a lambda is marked "raw" in its header: it may ereport, and obeys
// the same two rules.
//
// Outwards: entry() runs the body of a function that the server calls. It catches every exception,
// leaves the catch block, and only then raises the ereport(ERROR), when nothing is left to unwind.
//
// After a caught error the (sub)transaction is aborted: the code that catches it must rethrow or
// end the (sub)transaction.
#pragma once

#include "pg/postgres.hpp"

namespace hydra::pg {

// An error with PostgreSQL's parts. Messages follow its style guide: the message is lower case
// without a full stop; detail and hint are sentences.
class Error : public std::exception {
 public:
  Error(int sqlstate, std::string message, std::string detail = "", std::string hint = "")
      : sqlstate_(sqlstate),
        message_(std::move(message)),
        detail_(std::move(detail)),
        hint_(std::move(hint)) {}

  const char* what() const noexcept override { return message_.c_str(); }
  int sqlstate() const noexcept { return sqlstate_; }
  const std::string& message() const noexcept { return message_; }
  const std::string& detail() const noexcept { return detail_; }
  const std::string& hint() const noexcept { return hint_; }

  // "message: detail. hint" in one line, for history and the log.
  std::string one_line() const;

 private:
  int sqlstate_;
  std::string message_, detail_, hint_;
};

namespace internal {
// Runs f(argument); throws pg::Error if it raised an error.
void guarded(void (*f)(void*), void* argument);
}  // namespace internal

template <typename F>
auto call(F&& f) -> std::invoke_result_t<F&> {
  using Result = std::invoke_result_t<F&>;
  static_assert(std::is_nothrow_invocable_v<F&>, "the lambda given to pg::call must be noexcept");
  if constexpr (std::is_void_v<Result>) {
    internal::guarded([](void* p) { (*static_cast<std::remove_reference_t<F>*>(p))(); }, &f);
  } else {
    static_assert(std::is_trivially_destructible_v<Result>);
    struct Frame {
      std::remove_reference_t<F>* f;
      Result result;
    } frame{&f, Result{}};
    internal::guarded(
        [](void* p) {
          Frame* inner = static_cast<Frame*>(p);
          inner->result = (*inner->f)();
        },
        &frame);
    return frame.result;
  }
}

// Whether the server's log may contain the statement that entry() was called for.
enum class Statement { logged, hidden /* it may hold a secret */ };

namespace internal {
// Saves the current exception in memory without destructors.
void keep_current_exception() noexcept;
[[noreturn]] void raise_kept(Statement statement);
}  // namespace internal

// Runs the body of a function that the server calls. Every exception becomes an ERROR.
template <typename F>
auto entry(F&& body, Statement statement = Statement::logged) -> std::invoke_result_t<F&> {
  try {
    return body();
  } catch (...) {
    internal::keep_current_exception();
  }
  internal::raise_kept(statement);
}

// Raises a WARNING or NOTICE (never an ERROR) with these parts.
void report(int level, const Error& error, Statement statement = Statement::logged);
void notice(const std::string& message);

}  // namespace hydra::pg
