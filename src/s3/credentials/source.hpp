// Sources of keys.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>

#include "s3/credentials.hpp"
#include "s3/object_headers.hpp"

namespace hydra::s3::credentials {

struct HttpRequest {
  std::string method = "GET";
  std::string url;
  Headers headers;
  std::string body;
  std::chrono::milliseconds timeout{10000};  // for the whole exchange
  // a service of this machine, never reached through a proxy
  bool local = false;
  bool to_store = false;  // sent to the destination's host, with the same restrictions as uploads
};

struct HttpReply {
  int status = 0;  // 0 = no response, and `transport` says why
  std::string body;
  std::string transport;
};

struct Found {
  Credentials keys;
  std::optional<std::int64_t> expires_at;  // Unix seconds; nothing = unknown
  std::string source;                      // "environment", "profile:backup", …
};

// The source is not configured here; the next one may be.
struct Absent {
  std::string why;
};

// The source is configured, but fails.
struct Broken {
  std::string why;
  std::string hint;    // a sentence, or ''
  bool heals = false;  // a retry may succeed
};

// The keys will be available later: ask again soon.
struct Later {};

// The next step: a request to make, or one of four results.
using Step = std::variant<HttpRequest, Found, Absent, Broken, Later>;

// Obtains keys in steps, so that the waiting for the network is done elsewhere. begin() may be
// called at any time, and starts again; each HttpRequest of a step is ended by answered() or given
// up.
//
// Neither a step's texts nor an exception ever contain a secret, or a response that may contain
// one. Each begin() reads files and variables again, because they may be rotated.
class Source {
 public:
  virtual ~Source() = default;
  virtual Step begin(std::int64_t now) = 0;  // Unix seconds, by the clock used for signing
  virtual Step answered(const HttpReply& reply) = 0;
  // Whether begin() may find other keys when the store refuses these.
  virtual bool changes() const { return true; }
};

}  // namespace hydra::s3::credentials
