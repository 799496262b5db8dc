#include "pg/error.hpp"

namespace hydra::pg {
namespace {

std::string or_empty(const char* text) {
  return text != nullptr ? text : "";
}

Error from_error_data(const ErrorData* data) {
  return Error(data->sqlerrcode, or_empty(data->message), or_empty(data->detail),
               or_empty(data->hint));
}

// Plain arrays: filled in a catch block and read after it, without allocation in either place.
struct Kept {
  int sqlstate;
  char message[4096];
  char detail[4096];
  char hint[2048];
};
Kept kept;

// Cuts at the end of a character, so that a long message remains valid in the server's encoding.
template <std::size_t N>
void keep(char (&to)[N], const std::string& from) noexcept {
  std::size_t length = std::min(from.size(), N - 1);
  if (length < from.size()) {
    while (length > 0 && (static_cast<unsigned char>(from[length]) & 0xC0) == 0x80)
      --length;
  }
  std::memcpy(to, from.data(), length);
  to[length] = '\0';
}

void keep(int sqlstate, const std::string& message, const std::string& detail,
          const std::string& hint) noexcept {
  kept.sqlstate = sqlstate;
  keep(kept.message, message);
  keep(kept.detail, detail);
  keep(kept.hint, hint);
}

}  // namespace

std::string Error::one_line() const {
  std::string line = message_;
  if (!detail_.empty()) line += ": " + detail_;
  if (!hint_.empty()) line += (line.back() == '.' ? " " : ". ") + hint_;
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

namespace {

// Copies the current error, or returns nullptr: copying needs memory, and the error may be that
// there is none. An error raised here must not leave this function, because C++ frames are above
// it.
ErrorData* copy_error() noexcept {
  ErrorData* volatile error = nullptr;
  PG_TRY();
  { error = CopyErrorData(); }
  PG_CATCH();
  {}
  PG_END_TRY();
  return error;
}

}  // namespace

namespace internal {

void guarded(void (*f)(void*), void* argument) {
  MemoryContext context = CurrentMemoryContext;
  ErrorData* volatile error = nullptr;
  volatile bool raised = false;
  PG_TRY();
  { f(argument); }
  PG_CATCH();
  {
    MemoryContextSwitchTo(context);
    raised = true;
    error = copy_error();
    FlushErrorState();
  }
  PG_END_TRY();
  MemoryContextSwitchTo(context);
  if (!raised) return;
  if (error == nullptr) throw Error(ERRCODE_OUT_OF_MEMORY, "out of memory");
  Error thrown = from_error_data(error);
  FreeErrorData(error);
  throw thrown;
}

void keep_current_exception() noexcept {
  try {
    throw;
  } catch (const Error& error) {
    keep(error.sqlstate(), error.message(), error.detail(), error.hint());
  } catch (const std::bad_alloc&) {
    keep(ERRCODE_OUT_OF_MEMORY, "out of memory", "", "");
  } catch (const std::exception& error) {
    keep(ERRCODE_INTERNAL_ERROR, error.what(), "", "");
  } catch (...) {
    keep(ERRCODE_INTERNAL_ERROR, "unexpected error", "", "");
  }
}

void raise_kept(Statement statement) {
  const bool hidden = statement == Statement::hidden;
  ereport(ERROR, (errcode(kept.sqlstate), errmsg_internal("%s", kept.message),
                  kept.detail[0] != '\0' ? errdetail_internal("%s", kept.detail) : 0,
                  kept.hint[0] != '\0' ? errhint("%s", kept.hint) : 0, errhidestmt(hidden),
                  errhidecontext(hidden)));
  pg_unreachable();
}

}  // namespace internal

void report(int level, const Error& error, Statement statement) {
  const bool hidden = statement == Statement::hidden;
  const char* message = error.message().c_str();
  const char* detail = error.detail().c_str();
  const char* hint = error.hint().c_str();
  const int sqlstate = error.sqlstate();
  call([=]() noexcept {
    ereport(level,
            (errcode(sqlstate), errmsg_internal("%s", message),
             *detail != '\0' ? errdetail_internal("%s", detail) : 0,
             *hint != '\0' ? errhint("%s", hint) : 0, errhidestmt(hidden), errhidecontext(hidden)));
  });
}

void notice(const std::string& message) {
  const char* text = message.c_str();
  call([=]() noexcept { ereport(NOTICE, errmsg_internal("%s", text)); });
}

}  // namespace hydra::pg
