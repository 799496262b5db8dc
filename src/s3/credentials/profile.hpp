// Keys in the files that AWS's tools share: ~/.aws/credentials and ~/.aws/config (or the files that
// AWS_SHARED_CREDENTIALS_FILE and AWS_CONFIG_FILE name) of the server's operating-system user.
#pragma once

#include <map>
#include <memory>

#include "s3/credentials/host_environment.hpp"
#include "s3/credentials/source.hpp"
#include "s3/endpoint.hpp"

namespace hydra::s3::credentials {

// A profile may contain keys, or a role together with a web identity token file, a source_profile
// or a credential_source. credential_process and SSO are refused: the server runs no programs.
class Profile : public Source {
 public:
  // name: '' = AWS_PROFILE, or "default". `depth` counts the profiles that refer to this one.
  Profile(std::string name, EndpointSettings target, const HostEnvironment& host, int depth = 0);
  Step begin(std::int64_t now) override;
  Step answered(const HttpReply& reply) override;

 private:
  using Settings = std::map<std::string, std::string>;
  Step role_of(const Settings& settings, std::int64_t now);
  Step broken(const std::string& why, const std::string& hint = "") const;

  const bool named_;
  std::string name_;
  EndpointSettings target_;
  HostEnvironment host_;
  int depth_;
  std::unique_ptr<Source> role_;  // if the profile names a role
};

// The settings of one section of an INI file; nothing if there is no such section.
std::optional<std::map<std::string, std::string>> ini_section(std::string_view text,
                                                              std::string_view section);

}  // namespace hydra::s3::credentials
