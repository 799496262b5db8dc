// Temporary keys from the Security Token Service: AssumeRole and AssumeRoleWithWebIdentity
// (AWS STS API Reference, version 2011-06-15).
#pragma once

#include <memory>

#include "s3/credentials/host_environment.hpp"
#include "s3/credentials/source.hpp"
#include "s3/endpoint.hpp"

namespace hydra::s3::credentials {

// The endpoint of STS, and the region for which requests to it are signed.
struct StsPlace {
  std::string url;
  std::string region;
  bool is_store = false;  // the destination's own host
};

// AWS_ENDPOINT_URL_STS if set; else AWS's endpoint in the region of AWS_REGION, AWS_DEFAULT_REGION,
// or the target. Tokens are sent only there.
StsPlace sts_for_tokens(const EndpointSettings& target, const HostEnvironment& host);

// The same, but for a store that is not AWS, the store itself. That is safe because the request is
// signed and contains no secret, and goes to the same host as the uploads.
StsPlace sts_for_roles(const EndpointSettings& target, const HostEnvironment& host);

struct Role {
  std::string arn;
  std::string external_id;  // '' = none
  std::string session;      // shown in the logs of AWS
};

// A role that is assumed with a token of an identity provider in a file (IRSA on EKS, and others).
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

// A role that is assumed with keys of another source.
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
  std::string source_;  // of the keys that sign the request; '' until they are fetched
};

}  // namespace hydra::s3::credentials
