// What a request is signed with.
#pragma once

#include <string>

#include "s3/header_value.hpp"

namespace hydra::s3 {

// A key pair, and the token that comes with temporary ones ('' without). Never printed: no message
// of this library holds any of the three.
struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;
};

// Whether a request's headers can hold what they are to hold of the keys.
inline bool can_be_sent(const Credentials& keys) {
  return is_header_value(keys.access_key) && is_header_value(keys.session_token);
}

}  // namespace hydra::s3
