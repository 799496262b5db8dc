// One upload attempt on one libcurl easy handle. Internal to the client.
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

// An upload in progress, over all its attempts.
struct Job {
  Upload upload;
  int attempts = 0;
  std::multiset<Fix> fixed;            // corrections that were made for it
  std::uint64_t furthest = 0;          // the most bytes of the body that an attempt has sent
  bool perhaps_stored = false;         // by an attempt whose response was lost
  bool damaged = false;                // stored by an attempt, but with other content
  Session::Corrections corrections{};  // the ones made before the last attempt began
  std::optional<Failure> failure;      // see Outcome
};

// The PUT request for a job's object, signed except for its Authorization header. If an attempt
// stored other content, the next one overwrites it.
Request put_request(const Options& options, const Session& session, const Job& job,
                    const std::string& date);

// An easy handle that serves one attempt after another, so that libcurl's buffers are reused
// (connections are kept by the multi handle). Between begin() and finish() it owns the job, whose
// body libcurl reads; begin() must not be called then. libcurl's callbacks get `this`, so the
// object cannot be moved.
//
// The caller blocks signals around each method, and around the destructor.
class Transfer {
 public:
  // Throws std::runtime_error if libcurl refuses an option (such as the name of an unreadable CA
  // file), std::bad_alloc.
  Transfer(const Options& options, const Session& session);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  CURL* handle() const { return easy_.get(); }

  // Prepares another attempt, signed with the current time.
  void begin(Job job);

  // The result of the attempt: nothing = the object is stored.
  std::optional<Failure> finish(CURLcode result);

  const std::string& etag() const { return answer_.etag; }

  // When an attempt last sent more of its job's body than those before it.
  std::chrono::steady_clock::time_point moved_at() const { return moved_at_; }

  // Returns the job; the handle is free.
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
  std::uint64_t read_ = 0;  // bytes of the body, since the start of the attempt
  std::chrono::steady_clock::time_point moved_at_;
  std::int64_t begun_at_ = 0;    // Unix seconds, by the store's clock
  Md5 md5_;                      // of what libcurl has read of the body
  bool compares_ = false;        // whether md5_ is computed during this attempt
  const bool etags_may_be_md5_;  // false if objects are encrypted with a KMS key
  // Whether the last response's ETag was an MD5; predicts the next one.
  bool last_etag_was_md5_ = true;
  bool last_had_checksum_ = true;
  SentBody sent_;
  bool has_answer_ = false;  // to any attempt: there is an HTTP server at the endpoint
  Answer answer_;
  HeaderList headers_;
  Easy easy_;
};

}  // namespace hydra::s3
