// What a request is signed with.
#pragma once

#include <string>

namespace hydra::s3 {

// A key pair, and the token that comes with temporary ones ('' without). Never printed: no message
// of this library holds any of the three.
struct Credentials {
  std::string access_key;
  std::string secret_key;
  std::string session_token;
};

}  // namespace hydra::s3
