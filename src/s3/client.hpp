// Concurrent uploads to S3. The client never waits; its caller does.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "s3/upload.hpp"
#include "s3/watch.hpp"

namespace hydra::s3 {

// Prepares libcurl, once per process and before the first Client, with only one thread running.
// Throws std::runtime_error when libcurl refuses.
void initialize_library();

// The identity and the endpoint with which a client currently makes its requests.
struct Identity {
  std::string endpoint;  // the bucket's URL
  std::string region;
  std::string source;                      // of the keys; '' if they are not fetched yet
  std::optional<std::int64_t> expires_at;  // Unix seconds
};

// An uploader on libcurl's multi socket interface. put() queues; at most `concurrency` uploads are
// in flight. A failed attempt is repeated after a backoff, with a new signature. Another upload
// takes its slot meanwhile, unless more than `concurrency` uploads already wait for a retry, to
// reduce the load on a store in trouble. Each upload ends in exactly one outcome, unless cancel()
// drops it.
//
// Nothing here waits. Either call perform() often (it polls the sockets itself), or wait for
// watches() and timeout(), then call ready() for each ready socket and perform() in any case. Call
// watches() again whenever watches_version() has changed: the number of a closed socket can be
// reused.
//
// With Options::conditional a store refuses to overwrite (412). After an attempt whose response was
// lost, this means that the attempt had stored the object, if nobody else writes such keys: see
// Existing.
//
// An upload succeeds if the store's response is one that S3 would send, with the MD5 of the body if
// it contains an MD5 (see stored.hpp).
//
// All signals are blocked while libcurl runs: its resolver may start a thread, which must not run
// the process's signal handlers, and a handler must not jump out of a callback.
//
// Constructor and methods throw std::runtime_error or std::bad_alloc if libcurl or memory fails
// (and the constructor if the settings permit no request); an upload's failure is an outcome, never
// an exception. Not thread-safe.
class Client {
 public:
  explicit Client(Options options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Queues an upload, and starts it if a slot is free.
  void put(Upload upload);

  // Advances all uploads as far as possible without waiting, and starts those that are due.
  void perform();

  // The same for one watched socket that is ready.
  void ready(int fd, bool readable, bool writable);

  const std::vector<Watch>& watches() const;
  std::uint64_t watches_version() const;

  // The time after which perform() must be called even if no socket is ready; nothing = no limit.
  std::optional<std::chrono::milliseconds> timeout() const;

  // The outcomes of uploads that ended since the last call, in the order in which they ended.
  std::vector<Outcome> take_outcomes();

  // The time since which no upload has made progress: none has succeeded, and none has sent more of
  // its body than its earlier attempts. Nothing if there are no uploads.
  std::optional<std::chrono::steady_clock::time_point> quiet_since() const;

  // An upload that is being retried, if there is one: its tag, and the error.
  struct Trouble {
    std::uint64_t tag = 0;
    const std::string& key;
    const Failure& failure;
    int attempts = 0;
  };
  std::optional<Trouble> trouble() const;

  Identity identity() const;

  // Fetches and refreshes keys even while there are no uploads, because other processes use them.
  void keep_keys(bool keep);

  // The keys to sign with, once they are fetched; or why there will be none; and whether they can
  // be renewed.
  std::optional<credentials::Found> keys() const;
  std::optional<Failure> keys_failure() const;
  bool keys_change() const;

  // A store refused the keys.
  void renew_keys();

  // Changes Options::conditional for attempts that begin from now on.
  void set_conditional(bool conditional);

  // Number of uploads that are queued, in flight, or waiting for a retry.
  std::size_t pending() const;

  // Drops all uploads and outcomes, and closes the connections in use. The client remains usable.
  void cancel();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hydra::s3
