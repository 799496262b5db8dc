// Uploads to S3, many at a time, without ever waiting: the caller owns the waiting.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "s3/credentials.hpp"
#include "s3/endpoint.hpp"
#include "s3/errors.hpp"
#include "s3/object_headers.hpp"
#include "s3/places.hpp"

namespace hydra::s3 {

// Prepares libcurl, once per process and before the first Client, with only one thread running.
// Throws std::runtime_error when libcurl refuses.
void initialize_library();

// An object's contents. read() and rewind() are called from inside libcurl; neither may throw.
class Body {
 public:
  virtual ~Body() = default;
  virtual std::uint64_t size() const = 0;
  // The next read() begins at the first byte again. Called before each attempt.
  virtual void rewind() = 0;
  // Copies the next bytes, at most `room`, and returns how many; 0 only at the end.
  virtual std::size_t read(char* to, std::size_t room) noexcept = 0;
};

// What it means, with Options::conditional, that an object of an upload's key is there already.
enum class Existing {
  ours_if_lost,  // that an attempt whose answer was lost has stored it: a success, else a failure
  welcome,       // a success
  taken,         // a failure, as nobody can tell who stored it
};

struct Upload {
  std::uint64_t tag = 0;  // the caller's; comes back in the outcome
  std::string key;        // not encoded
  std::unique_ptr<Body> body;
  std::string sha256;        // of the body, 64 hexadecimal digits
  std::string content_type;  // '' = no such header
  Existing existing = Existing::ours_if_lost;
};

struct Outcome {
  std::uint64_t tag = 0;
  std::string key;
  bool ok = false;
  std::string etag;         // without the quotes; '' where the store's answer was lost
  int attempts = 0;         // 1 = the first one settled it
  std::uint64_t bytes = 0;  // size of the body
  // The first failure seen, also when a later attempt succeeded; when an attempt met one that no
  // retry heals, that one.
  std::optional<Failure> failure;
};

namespace credentials {
class Source;
struct Found;
}  // namespace credentials

struct Options {
  EndpointSettings target;
  Places places;                                     // where data may go
  Credentials credentials;                           // where `source` is empty
  std::shared_ptr<credentials::Source> source;       // asked before the first upload, and again
  std::chrono::milliseconds request_timeout{60000};  // an attempt without progress is given up then
  int max_attempts = 8;
  int concurrency = 4;  // uploads in flight
  std::string ca_file;  // '' = the system's
  std::string user_agent;
  Headers object_headers;                     // see object_header_problem()
  bool conditional = false;                   // never overwrite an object (If-None-Match: *)
  std::function<std::int64_t()> now;          // Unix seconds; empty = the system's clock
  std::chrono::milliseconds retry_base{200};  // see Backoff
  std::chrono::milliseconds retry_cap{20000};
  std::chrono::milliseconds longest_retry_after{60000};  // a store's Retry-After counts up to this
};

// A socket to wait for. Never both false.
struct Watch {
  int fd = -1;
  bool readable = false;
  bool writable = false;
};

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
