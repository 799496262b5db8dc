// One object to be stored, its outcome, and the options of a client.
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

// How to treat, with Options::conditional, an object that already exists under an upload's key.
enum class Existing {
  // success if an attempt's response was lost, as that attempt stored it; else failure
  ours_if_lost,
  welcome,  // success
  taken,    // failure, as it is unknown who stored it
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
  int attempts = 0;         // 1 = the first attempt was final
  std::uint64_t bytes = 0;  // size of the body
  // The first failure, even if a later attempt succeeded; but if an attempt had a failure that a
  // retry cannot resolve, that one.
  std::optional<Failure> failure;
};

namespace credentials {
class Source;
struct Found;
}  // namespace credentials

struct Options {
  EndpointSettings target;
  Places places;  // where data may go
  // asked before the first upload, and for renewals
  std::shared_ptr<credentials::Source> source;
  // time without progress after which an attempt is abandoned
  std::chrono::milliseconds request_timeout{60000};
  int max_attempts = 8;
  int concurrency = 4;  // uploads in flight
  std::string ca_file;  // '' = the system's
  std::string user_agent;
  Headers object_headers;                     // see object_header_problem()
  bool conditional = false;                   // never overwrite an object (If-None-Match: *)
  std::function<std::int64_t()> now;          // Unix seconds; empty = the system's clock
  std::chrono::milliseconds retry_base{200};  // see Backoff
  std::chrono::milliseconds retry_cap{20000};
  std::chrono::milliseconds longest_retry_after{60000};  // upper limit for a store's Retry-After
};

}  // namespace hydra::s3
