// One object to be stored, what became of it, and what a client is made with.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "s3/body.hpp"
#include "s3/credentials.hpp"
#include "s3/endpoint.hpp"
#include "s3/errors.hpp"
#include "s3/object_headers.hpp"
#include "s3/places.hpp"

namespace hydra::s3 {

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

}  // namespace hydra::s3
