// One upload attempt on one of libcurl's easy handles. Internal to the client.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>

#include "base/md5.hpp"
#include "s3/easy.hpp"
#include "s3/session.hpp"
#include "s3/sigv4.hpp"
#include "s3/stored.hpp"
#include "s3/upload.hpp"

namespace hydra::s3 {

// An upload on its way, over all its attempts.
struct Job {
  Upload upload;
  int attempts = 0;
  std::multiset<Fix> fixed;            // what was put right for it
  std::uint64_t furthest = 0;          // bytes of the body that an attempt has sent, at the most
  bool perhaps_stored = false;         // by an attempt whose answer was lost
  bool damaged = false;                // stored by an attempt, but not as it was sent
  Session::Corrections corrections{};  // what was known when the last attempt began
  std::optional<Failure> failure;      // see Outcome
};

// The PUT of a job's object, signed except for its Authorization header. What an attempt has stored
// damaged is overwritten by the next one.
Request put_request(const Options& options, const Session& session, const Job& job,
                    const std::string& date);

// An easy handle that serves one attempt after another, so that libcurl's buffers are used again
// (connections are kept by the multi handle). Between begin() and finish() it owns the job, whose
// body libcurl reads; nothing may be begun meanwhile. libcurl's callbacks get `this`, so an object
// stays where it is.
//
// The caller blocks signals around each method, and around the destructor.
class Transfer {
 public:
  // Throws std::runtime_error when libcurl refuses an option (such as an unreadable CA file's
  // name), std::bad_alloc.
  Transfer(const Options& options, const Session& session);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  CURL* handle() const { return easy_.get(); }

  // Prepares another attempt, signed as of now.
  void begin(Job job);

  // What came of the attempt: nothing = the object is stored.
  std::optional<Failure> finish(CURLcode result);

  const std::string& etag() const { return answer_.etag; }

  // When an attempt last sent more of its job's body than those before it.
  std::chrono::steady_clock::time_point moved_at() const { return moved_at_; }

  // Gives the job back; the handle is free.
  Job release();

 private:
  static std::size_t on_read(char* to, std::size_t size, std::size_t n, void* self) noexcept;
  static int on_seek(void* self, curl_off_t offset, int origin) noexcept;
  static std::size_t on_body(char* from, std::size_t size, std::size_t n, void* self) noexcept;
  static std::size_t on_header(char* from, std::size_t size, std::size_t n, void* self) noexcept;

  void set_network_options();
  void set_callbacks();
  void set_headers(const Request& request, const std::string& authorization);
  Failure no_answer(CURLcode result);
  std::optional<Failure> judge_success();
  std::string md5_of_body();
  void remove_token();
  void start_body();

  const Options& options_;
  const Session& session_;
  std::optional<Job> job_;
  std::string host_;        // of the last attempt
  std::uint64_t read_ = 0;  // bytes of the body, since its start
  std::chrono::steady_clock::time_point moved_at_;
  std::int64_t begun_at_ = 0;    // Unix seconds, by the store's clock
  Md5 md5_;                      // of what libcurl has read of the body
  bool compares_ = false;        // whether md5_ is kept while this attempt is sent
  const bool etags_may_be_md5_;  // unless objects are encrypted with a key of a KMS
  // Of the last answer: as good a guess as any for the next one.
  bool last_etag_was_md5_ = true;
  bool last_had_checksum_ = true;
  SentBody sent_;
  bool has_answer_ = false;  // to any attempt: what is at the endpoint speaks HTTP
  Answer answer_;
  HeaderList headers_;
  Easy easy_;
};

}  // namespace hydra::s3
