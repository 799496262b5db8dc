#include "s3/credentials/environment.hpp"

#include <stdexcept>

namespace hydra::s3::credentials {

Step Environment::begin(std::int64_t) {
  const std::string access_key = host_.variable("AWS_ACCESS_KEY_ID");
  const std::string secret_key = host_.variable("AWS_SECRET_ACCESS_KEY");
  if (access_key.empty()) return Absent{"AWS_ACCESS_KEY_ID is not set"};
  if (secret_key.empty()) {
    return Broken{"AWS_SECRET_ACCESS_KEY is not set though AWS_ACCESS_KEY_ID is",
                  "Set both in the environment of the server."};
  }
  return Found{
      {access_key, secret_key, host_.variable("AWS_SESSION_TOKEN")}, std::nullopt, "environment"};
}

Step Environment::answered(const HttpReply&) {
  throw std::logic_error("the environment asks nobody");
}

}  // namespace hydra::s3::credentials
