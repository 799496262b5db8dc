// Temporary keys from the Security Token Service: AssumeRole and AssumeRoleWithWebIdentity
// (AWS STS API Reference, version 2011-06-15).
#pragma once

#include <memory>

#include "s3/credentials/host_environment.hpp"
#include "s3/credentials/source.hpp"
#include "s3/endpoint.hpp"

namespace hydra::s3::credentials {

// Where STS is asked, and for which region requests to it are signed.
struct StsPlace {
  std::string url;
  std::string region;
  bool is_store = false;  // the destination's own host
};

// AWS_ENDPOINT_URL_STS where it is set; else AWS's in the region of AWS_REGION,
// AWS_DEFAULT_REGION, or the target's. Tokens are sent only there.
StsPlace sts_for_tokens(const EndpointSettings& target, const HostEnvironment& host);

// The same, but a store that is not AWS's is itself asked: the request is signed, and holds no
// secret. (Where it is asked and what is uploaded go to one host: nothing more gets out.)
StsPlace sts_for_roles(const EndpointSettings& target, const HostEnvironment& host);

struct Role {
  std::string arn;
  std::string external_id;  // '' = none
  std::string session;      // shows in the cloud's own logs
};

// A role, by the word of an identity provider whose token is in a file (IRSA on EKS, and others).
class WebIdentity : public Source {
 public:
  // token_file '' = AWS_WEB_IDENTITY_TOKEN_FILE; role.arn '' = AWS_ROLE_ARN.
  WebIdentity(Role role, std::string token_file, StsPlace place, const HostEnvironment& host);
  Step begin(std::int64_t now) override;
  Step answered(const HttpReply& reply) override;

 private:
  Role role_;
  std::string token_file_;
  StsPlace place_;
  HostEnvironment host_;
};

// A role, by keys of another source that may assume it.
class AssumeRole : public Source {
 public:
  AssumeRole(std::unique_ptr<Source> by, Role role, StsPlace place);
  Step begin(std::int64_t now) override;
  Step answered(const HttpReply& reply) override;

 private:
  Step ask(Step step);

  std::unique_ptr<Source> by_;
  Role role_;
  StsPlace place_;
  std::int64_t now_ = 0;
  std::string source_;  // of the keys that ask; '' until they are there
};

}  // namespace hydra::s3::credentials
