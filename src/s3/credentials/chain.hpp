// Selects the source of keys.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "s3/credentials/host_environment.hpp"
#include "s3/credentials/source.hpp"
#include "s3/endpoint.hpp"

namespace hydra::s3::credentials {

struct CredentialSettings {
  std::string source;  // static, file:/path, environment, profile[:name], web_identity, …, or auto
  Credentials keys;    // for static
  std::string role_arn;     // a role to assume with the keys; '' = none
  std::string external_id;  // for role_arn; '' = none
};

// Nothing, or words that complete "credentials …".
std::optional<std::string> source_problem(const std::string& source);

// Nothing, or words that complete "role_arn …".
std::optional<std::string> role_problem(const std::string& role_arn);

// Throws std::runtime_error if source_problem() reports a problem.
std::unique_ptr<Source> make_source(const CredentialSettings& settings,
                                    const EndpointSettings& target, const HostEnvironment& host);

// Keys that are given in the settings.
class Static : public Source {
 public:
  explicit Static(Credentials keys) : keys_(std::move(keys)) {}
  Step begin(std::int64_t) override { return Found{keys_, std::nullopt, "static"}; }
  Step answered(const HttpReply&) override { return Absent{}; }
  bool changes() const override { return false; }

 private:
  Credentials keys_;
};

// The first source that has keys. A source that fails ends the search: it was set up to be used,
// and the keys of the next source may belong to another account.
class Chain : public Source {
 public:
  struct Member {
    std::string name;
    std::unique_ptr<Source> source;
  };
  explicit Chain(std::vector<Member> members) : members_(std::move(members)) {}
  Step begin(std::int64_t now) override;
  Step answered(const HttpReply& reply) override;

 private:
  Step search(Step step);

  std::vector<Member> members_;
  std::size_t at_ = 0;
  std::int64_t now_ = 0;
  std::string absent_;  // why earlier sources were skipped
};

}  // namespace hydra::s3::credentials
