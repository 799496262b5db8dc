// Where keys come from when they are not in the settings.
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
  std::chrono::milliseconds timeout{10000};  // for all of it
  bool local = false;                        // this machine's own service: never through a proxy
  bool to_store = false;  // the destination's own host, and bound as uploads to it are
};

struct HttpReply {
  int status = 0;  // 0 = no answer came, and `transport` says why
  std::string body;
  std::string transport;
};

struct Found {
  Credentials keys;
  std::optional<std::int64_t> expires_at;  // Unix seconds; nothing = not known to end
  std::string source;                      // "environment", "profile:backup", …
};

// The source has nothing to offer here; another may.
struct Absent {
  std::string why;
};

// The source is meant to be used, and fails.
struct Broken {
  std::string why;
  std::string hint;    // a sentence, or ''
  bool heals = false;  // another try can end otherwise
};

// There will be keys, but not yet: to be asked again soon.
struct Later {};

// What comes next: a request to make, or one of four ends.
using Step = std::variant<HttpRequest, Found, Absent, Broken, Later>;

// Obtains keys in steps, so that whoever waits for the network is not in here. begin() starts over
// at any time; each HttpRequest that a step asks for is answered with answered(), or given up.
//
// Neither a step's words nor an exception ever hold a secret, or an answer that may hold one.
// Files and variables are read anew by each begin(): others rotate them.
class Source {
 public:
  virtual ~Source() = default;
  virtual Step begin(std::int64_t now) = 0;  // Unix seconds, by the clock to sign with
  virtual Step answered(const HttpReply& reply) = 0;
};

}  // namespace hydra::s3::credentials
