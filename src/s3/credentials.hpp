// The keys with which a request is signed.
#pragma once

#include <string>

#include "s3/header_value.hpp"

namespace hydra::s3 {

// A key pair, and the session token of temporary keys ('' if none). No message of this library
// contains any of the three.
struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;
};

// Whether headers can contain the parts of the keys that a request sends.
inline bool can_be_sent(const Credentials& keys) {
  return is_header_value(keys.access_key) && is_header_value(keys.session_token);
}

}  // namespace hydra::s3
