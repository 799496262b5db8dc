#include "s3/credentials/chain.hpp"

#include <algorithm>
#include <stdexcept>

#include "s3/credentials/environment.hpp"
#include "s3/credentials/key_file.hpp"
#include "s3/credentials/metadata.hpp"
#include "s3/credentials/profile.hpp"
#include "s3/credentials/sts.hpp"

namespace hydra::s3::credentials {

namespace {

constexpr std::string_view profile_prefix = "profile:";

bool is_printable(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::unique_ptr<Source> make_auto(const EndpointSettings& target, const HostEnvironment& host) {
  std::vector<Chain::Member> members;
  members.push_back({"environment", std::make_unique<Environment>(host)});
  members.push_back({"profile", std::make_unique<Profile>("", target, host)});
  members.push_back({"web_identity", std::make_unique<WebIdentity>(
                                         Role{}, "", sts_for_tokens(target, host), host)});
  members.push_back({"container", std::make_unique<Container>(host)});
  members.push_back({"instance", std::make_unique<Instance>(host)});
  return std::make_unique<Chain>(std::move(members));
}

std::unique_ptr<Source> make_plain(const CredentialSettings& settings, const Role& role,
                                   const EndpointSettings& target, const HostEnvironment& host) {
  const std::string& name = settings.source;
  if (name == "static") return std::make_unique<Static>(settings.keys);
  if (name.starts_with(key_file_prefix))
    return std::make_unique<KeyFile>(name.substr(key_file_prefix.size()));
  if (name == "environment") return std::make_unique<Environment>(host);
  if (name == "profile") return std::make_unique<Profile>("", target, host);
  if (name.starts_with(profile_prefix))
    return std::make_unique<Profile>(name.substr(profile_prefix.size()), target, host);
  if (name == "web_identity")
    return std::make_unique<WebIdentity>(role, "", sts_for_tokens(target, host), host);
  if (name == "container") return std::make_unique<Container>(host);
  if (name == "instance") return std::make_unique<Instance>(host);
  return make_auto(target, host);
}

}  // namespace

std::optional<std::string> source_problem(const std::string& source) {
  constexpr std::string_view names[] = {"static",    "environment", "profile", "web_identity",
                                        "container", "instance",    "auto"};
  if (std::find(std::begin(names), std::end(names), source) != std::end(names)) return std::nullopt;
  const std::string_view name = source;
  if (name.starts_with(key_file_prefix)) {
    const auto problem = key_file_path_problem(name.substr(key_file_prefix.size()));
    return problem ? std::optional("name a file whose path " + *problem) : std::nullopt;
  }
  if (name.starts_with(profile_prefix) && name.size() > profile_prefix.size() && is_printable(name))
    return std::nullopt;
  return "must be static, file:/path, environment, profile, profile:name, web_identity, container, "
         "instance or auto";
}

std::optional<std::string> role_problem(const std::string& role_arn) {
  if (role_arn.empty()) return std::nullopt;
  if (role_arn.size() > 2048 || !role_arn.starts_with("arn:") || !is_printable(role_arn) ||
      role_arn.find(":role/") == std::string::npos)
    return "must be the ARN of a role";
  return std::nullopt;
}

std::unique_ptr<Source> make_source(const CredentialSettings& settings,
                                    const EndpointSettings& target, const HostEnvironment& host) {
  if (const auto problem = source_problem(settings.source))
    throw std::runtime_error("credentials " + *problem);
  const Role role{settings.role_arn, settings.external_id, ""};
  // The token of the identity provider may be for the wanted role itself.
  const bool direct = settings.source == "web_identity" && host.variable("AWS_ROLE_ARN").empty();
  auto source = make_plain(settings, direct ? role : Role{}, target, host);
  if (role.arn.empty() || direct) return source;
  return std::make_unique<AssumeRole>(std::move(source), role, sts_for_roles(target, host));
}

Step Chain::begin(std::int64_t now) {
  now_ = now;
  at_ = 0;
  absent_.clear();
  return search(members_.at(0).source->begin(now));
}

Step Chain::answered(const HttpReply& reply) {
  return search(members_[at_].source->answered(reply));
}

Step Chain::search(Step step) {
  while (const Absent* absent = std::get_if<Absent>(&step)) {
    if (!absent_.empty()) absent_ += "; ";
    absent_ += members_[at_].name + ": " + absent->why;
    if (at_ + 1 == members_.size()) {
      return Broken{absent_, "Give access_key and secret_key, or name a source with credentials."};
    }
    ++at_;
    step = members_[at_].source->begin(now_);
  }
  Broken* broken = std::get_if<Broken>(&step);
  if (broken != nullptr && !absent_.empty()) broken->why = absent_ + "; " + broken->why;
  return step;
}

}  // namespace hydra::s3::credentials
