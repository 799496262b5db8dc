// Keys from services of the machine: the agent of a container (ECS, EKS Pod Identity) and the
// instance metadata service of EC2, version 2 only.
#pragma once

#include "s3/credentials/host_environment.hpp"
#include "s3/credentials/source.hpp"

namespace hydra::s3::credentials {

class Container : public Source {
 public:
  explicit Container(const HostEnvironment& host) : host_(host) {}
  Step begin(std::int64_t now) override;
  Step answered(const HttpReply& reply) override;

 private:
  HostEnvironment host_;
};

// Version 1 is never used: a client that can make this machine send a GET request could read its
// keys.
class Instance : public Source {
 public:
  explicit Instance(const HostEnvironment& host) : host_(host) {}
  Step begin(std::int64_t now) override;
  Step answered(const HttpReply& reply) override;

 private:
  enum class Asked { token, role, keys };
  HttpRequest get(const std::string& path) const;

  HostEnvironment host_;
  std::string service_;
  Asked asked_ = Asked::token;
  std::string token_, role_;
};

// The keys in a JSON document of either service: AccessKeyId, SecretAccessKey, Token, Expiration.
Step read_document(const std::string& json, const std::string& source);

}  // namespace hydra::s3::credentials
