// Keys in environment variables: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN.
#pragma once

#include "s3/credentials/host_environment.hpp"
#include "s3/credentials/source.hpp"

namespace hydra::s3::credentials {

class Environment : public Source {
 public:
  explicit Environment(const HostEnvironment& host) : host_(host) {}
  Step begin(std::int64_t now) override;
  Step answered(const HttpReply& reply) override;

 private:
  HostEnvironment host_;
};

}  // namespace hydra::s3::credentials
