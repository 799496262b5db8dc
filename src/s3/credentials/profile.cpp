#include "s3/credentials/profile.hpp"

#include <algorithm>
#include <utility>

#include "s3/credentials/environment.hpp"
#include "s3/credentials/metadata.hpp"
#include "s3/credentials/sts.hpp"
#include "s3/errors.hpp"

namespace hydra::s3::credentials {

namespace {

constexpr int most_profiles = 5;  // from a profile to the one with the keys

std::string_view trim(std::string_view text) {
  constexpr std::string_view spaces = " \t\r";
  text.remove_prefix(std::min(text.find_first_not_of(spaces), text.size()));
  return text.substr(0, text.find_last_not_of(spaces) + 1);
}

// Accepts "[ profile  name ]": words are separated by any number of spaces.
std::string section_name(std::string_view line) {
  std::string name;
  for (char c : trim(line.substr(1, line.find(']') - 1))) {
    const char plain = c == '\t' ? ' ' : c;
    if (plain != ' ' || name.back() != ' ') name += plain;
  }
  return name;
}

std::string get(const std::map<std::string, std::string>& settings, const std::string& name) {
  const auto found = settings.find(name);
  return found == settings.end() ? "" : found->second;
}

}  // namespace

std::optional<std::map<std::string, std::string>> ini_section(std::string_view text,
                                                              std::string_view section) {
  std::optional<std::map<std::string, std::string>> settings;
  bool inside = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view whole = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::string_view line = trim(whole);
    const bool nested = whole.starts_with(' ') || whole.starts_with('\t');
    if (line.empty() || line.front() == '#' || line.front() == ';') continue;
    if (line.front() == '[' && line.find(']') != std::string_view::npos) {
      inside = section_name(line) == section;
      if (inside && !settings) settings.emplace();
      continue;
    }
    const std::size_t equals = line.find('=');
    if (!inside || nested || equals == std::string_view::npos) continue;
    (*settings)[std::string(trim(line.substr(0, equals)))] = trim(line.substr(equals + 1));
  }
  return settings;
}

Profile::Profile(std::string name, EndpointSettings target, const HostEnvironment& host, int depth)
    : named_(!name.empty()),
      name_(std::move(name)),
      target_(std::move(target)),
      host_(host),
      depth_(depth) {}

Step Profile::broken(const std::string& why, const std::string& hint) const {
  return Broken{"profile \"" + clean_text(name_) + "\" " + why, hint};
}

Step Profile::begin(std::int64_t now) {
  role_.reset();
  if (!named_) name_ = host_.variable("AWS_PROFILE");
  if (name_.empty()) name_ = "default";
  const auto read = [&](const char* variable, const char* usual) {
    const std::string path = host_.variable(variable);
    return host_.file(path.empty() ? host_.home + usual : path).value_or("");
  };
  const auto keys = ini_section(read("AWS_SHARED_CREDENTIALS_FILE", "/.aws/credentials"), name_);
  const auto config = ini_section(read("AWS_CONFIG_FILE", "/.aws/config"),
                                  name_ == "default" ? name_ : "profile " + name_);
  if (!keys && !config) {
    if (!named_ && name_ == "default") return Absent{"there is no default profile"};
    return broken("does not exist", "The files are those of the user that runs the server.");
  }
  Settings settings = config.value_or(Settings{});
  for (const auto& [name, value] : keys.value_or(Settings{}))
    settings[name] = value;

  if (!get(settings, "role_arn").empty()) return role_of(settings, now);
  const Credentials found{get(settings, "aws_access_key_id"),
                          get(settings, "aws_secret_access_key"),
                          get(settings, "aws_session_token")};
  if (!found.access_key.empty() && !found.secret_key.empty())
    return Found{found, std::nullopt, "profile:" + clean_text(name_)};
  for (const char* other : {"credential_process", "sso_session", "sso_start_url"}) {
    if (!get(settings, other).empty())
      return broken(std::string("uses ") + other + ", which is not supported",
                    "Use a profile with keys, or a role.");
  }
  if (!named_ && name_ == "default") return Absent{"the default profile contains no keys"};
  return broken("contains no keys");
}

Step Profile::role_of(const Settings& settings, std::int64_t now) {
  if (depth_ >= most_profiles) return broken("leads to too many other profiles");
  const Role role{get(settings, "role_arn"), get(settings, "external_id"),
                  get(settings, "role_session_name")};
  const std::string source = get(settings, "credential_source");
  const std::string other = get(settings, "source_profile");
  const std::string token_file = get(settings, "web_identity_token_file");
  std::unique_ptr<Source> by;
  if (!token_file.empty()) {
    role_ = std::make_unique<WebIdentity>(role, token_file, sts_for_tokens(target_, host_), host_);
    return role_->begin(now);
  }
  if (other == name_ && !get(settings, "aws_access_key_id").empty()) {
    return broken("is its own source_profile", "Put the keys into a separate profile.");
  }
  if (!other.empty()) {
    by = std::make_unique<Profile>(other, target_, host_, depth_ + 1);
  } else if (source == "Environment") {
    by = std::make_unique<Environment>(host_);
  } else if (source == "EcsContainer") {
    by = std::make_unique<Container>(host_);
  } else if (source == "Ec2InstanceMetadata") {
    by = std::make_unique<Instance>(host_);
  } else {
    return broken("names a role, but no source of keys to assume it with",
                  "Add source_profile, credential_source or web_identity_token_file.");
  }
  role_ = std::make_unique<AssumeRole>(std::move(by), role, sts_for_roles(target_, host_));
  return role_->begin(now);
}

Step Profile::answered(const HttpReply& reply) {
  return role_->answered(reply);
}

}  // namespace hydra::s3::credentials
