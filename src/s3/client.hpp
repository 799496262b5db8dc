// Uploads to S3, many at a time, without ever waiting: the caller owns the waiting.
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

// As what, and where to, a client makes its requests by now.
struct Identity {
  std::string endpoint;  // the bucket's URL
  std::string region;
  std::string source;  // of the keys; '' where they were given, or are not there yet
  std::optional<std::int64_t> expires_at;  // Unix seconds
};

// An uploader on libcurl's multi socket interface. put() queues; at most `concurrency` uploads are
// in flight; a failed attempt is repeated after a backoff, signed anew each time, and its place
// goes to another upload meanwhile (unless more than `concurrency` wait already: a store in trouble
// is not asked for more). Each upload put in ends in exactly one outcome, unless
// cancel() drops it.
//
// Nothing here waits. Either call perform() often (it looks at the sockets itself), or wait for
// watches() and timeout(), then call ready() for each ready socket and perform() in any case. Look
// at watches() again whenever watches_version() changed: a closed socket's number can come back.
//
// With Options::conditional a store refuses to overwrite (412). After an attempt whose answer was
// lost that means that the attempt had stored the object, if nobody else writes such keys: see
// Existing.
//
// An upload is a success where the store answers as S3 does, with the MD5 of the body where it
// answers with an MD5 at all (see stored.hpp).
//
// All signals are blocked while libcurl runs: its resolver may start a thread, which must not run
// the process's signal handlers, and a handler must not jump out of a callback.
//
// Constructor and methods throw std::runtime_error or std::bad_alloc when libcurl or memory fails
// (and the constructor where settings make no request possible); an upload's failure is an
// outcome, never an exception. Not for use by several threads.
class Client {
 public:
  explicit Client(Options options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // Queues an upload, and starts it if a place is free.
  void put(Upload upload);

  // Moves all uploads forward as far as they go without waiting, and starts what is due.
  void perform();

  // The same for one watched socket that is ready.
  void ready(int fd, bool readable, bool writable);

  const std::vector<Watch>& watches() const;
  std::uint64_t watches_version() const;

  // How long until perform() must be called though no socket is ready; nothing = no limit.
  std::optional<std::chrono::milliseconds> timeout() const;

  // Uploads that ended since the last call, in the order in which they ended.
  std::vector<Outcome> take_outcomes();

  // Since when no upload has moved on: none has ended well, none has sent more of its body than the
  // attempts before. Nothing while there are none.
  std::optional<std::chrono::steady_clock::time_point> quiet_since() const;

  // An upload that is tried again, if one is: its tag, and why.
  struct Trouble {
    std::uint64_t tag = 0;
    const std::string& key;
    const Failure& failure;
    int attempts = 0;
  };
  std::optional<Trouble> trouble() const;

  Identity identity() const;

  // Fetches keys, and keeps them fresh, while there are no uploads, too: others sign with them.
  void keep_keys(bool keep);

  // The keys to sign with, once there are some; why there will be none; and whether there can be
  // other ones.
  std::optional<credentials::Found> keys() const;
  std::optional<Failure> keys_failure() const;
  bool keys_change() const;

  // A store did not accept the keys.
  void renew_keys();

  // Another Options::conditional for attempts that begin from now on.
  void set_conditional(bool conditional);

  // Queued, in flight, and waiting for another attempt.
  std::size_t pending() const;

  // Drops all uploads and outcomes, and closes the connections in use. The client stays usable.
  void cancel();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace hydra::s3
