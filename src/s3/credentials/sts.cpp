#include "s3/credentials/sts.hpp"

#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/percent.hpp"
#include "base/sha256.hpp"
#include "s3/aws.hpp"
#include "s3/bucket_rules.hpp"
#include "s3/errors.hpp"
#include "s3/sigv4.hpp"
#include "s3/xml.hpp"

namespace hydra::s3::credentials {

namespace {

constexpr const char* form = "application/x-www-form-urlencoded; charset=utf-8";

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string encoded(const Fields& fields) {
  std::string body = "Version=2011-06-15";
  for (const auto& [name, value] : fields) {
    if (!value.empty()) body += '&' + name + '=' + percent_encode(value);
  }
  return body;
}

HttpRequest post(const StsPlace& place, std::string body) {
  HttpRequest request;
  request.method = "POST";
  request.url = place.url;
  request.to_store = place.is_store;
  request.headers = {{"content-type", form}};
  request.body = std::move(body);
  return request;
}

// Adds the headers of the signature.
void sign(HttpRequest& request, const StsPlace& place, const Credentials& keys, std::int64_t now) {
  const auto url = parse_endpoint(place.url);
  Request to_sign;
  to_sign.method = request.method;
  to_sign.path = url->path + '/';
  to_sign.payload_sha256 = hex(sha256(request.body));
  request.headers.emplace_back("x-amz-date", amz_date(now));
  request.headers.emplace_back("x-amz-content-sha256", to_sign.payload_sha256);
  if (!keys.session_token.empty())
    request.headers.emplace_back("x-amz-security-token", keys.session_token);
  to_sign.headers = request.headers;
  const int usual = url->scheme == "https" ? 443 : 80;
  const std::string port = url->port == usual ? "" : ':' + std::to_string(url->port);
  to_sign.headers.emplace_back("host", url->host + port);
  request.headers.emplace_back("authorization",
                               authorization(to_sign, {amz_date(now), place.region, "sts"}, keys));
}

// Quotes only codes and messages that STS documents, never another part of the response.
Step read_answer(const HttpReply& reply, const std::string& action, const std::string& source) {
  const std::string who = "STS " + action + ": ";
  if (reply.status == 0) return Broken{who + clean_text(reply.transport), "", true};
  if (reply.status != 200) {
    Answer answer;
    answer.status = reply.status;
    answer.body = reply.body;
    const Failure failure = parse_failure(answer);
    std::string why = who + std::to_string(reply.status);
    if (!failure.code.empty()) why += ' ' + failure.code;
    // If STS gives no message, S3's text for the code would be about something else.
    const std::string message = clean_text(xml_element(reply.body, "Message"));
    if (!message.empty()) why += ": " + message;
    const bool heals = failure.action == Action::retry || failure.code == "IDPCommunicationError" ||
                       failure.code == "Throttling";
    return Broken{why, "Check role_arn, and that the role's trust policy allows the caller.",
                  heals};
  }
  Found found;
  found.keys = {xml_element(reply.body, "AccessKeyId"), xml_element(reply.body, "SecretAccessKey"),
                xml_element(reply.body, "SessionToken")};
  found.expires_at = parse_iso8601(xml_element(reply.body, "Expiration"));
  found.source = source;
  if (found.keys.access_key.empty() || found.keys.secret_key.empty())
    return Broken{who + "the answer contains no keys", "", false};
  return found;
}

std::string session_name(const Role& role, const HostEnvironment& host) {
  if (!role.session.empty()) return role.session;
  const std::string name = host.variable("AWS_ROLE_SESSION_NAME");
  return name.empty() ? "hydra_export" : name;
}

// With one '/' at its end.
std::string with_slash(std::string url) {
  while (url.ends_with('/'))
    url.pop_back();
  return url + '/';
}

}  // namespace

StsPlace sts_for_tokens(const EndpointSettings& target, const HostEnvironment& host) {
  StsPlace place;
  for (const char* name : {"AWS_REGION", "AWS_DEFAULT_REGION"}) {
    if (place.region.empty()) place.region = host.variable(name);
  }
  if (place.region.empty() || region_problem(place.region)) place.region = target.region;
  const std::string given = host.variable("AWS_ENDPOINT_URL_STS");
  const std::string_view domain = partition_of_region(place.region).domain;
  place.url = parse_endpoint(given)
                  ? with_slash(given)
                  : "https://sts." + place.region + '.' + std::string(domain) + '/';
  return place;
}

StsPlace sts_for_roles(const EndpointSettings& target, const HostEnvironment& host) {
  const bool elsewhere = !target.endpoint.empty() && !resolve(target).is_aws();
  if (elsewhere && host.variable("AWS_ENDPOINT_URL_STS").empty())
    return {with_slash(target.endpoint), target.region, true};
  return sts_for_tokens(target, host);
}

WebIdentity::WebIdentity(Role role, std::string token_file, StsPlace place,
                         const HostEnvironment& host)
    : role_(std::move(role)),
      token_file_(std::move(token_file)),
      place_(std::move(place)),
      host_(host) {}

Step WebIdentity::begin(std::int64_t) {
  const std::string path =
      token_file_.empty() ? host_.variable("AWS_WEB_IDENTITY_TOKEN_FILE") : token_file_;
  const std::string arn = role_.arn.empty() ? host_.variable("AWS_ROLE_ARN") : role_.arn;
  if (path.empty()) return Absent{"AWS_WEB_IDENTITY_TOKEN_FILE is not set"};
  if (arn.empty()) {
    return Broken{"AWS_ROLE_ARN is not set though AWS_WEB_IDENTITY_TOKEN_FILE is",
                  "Set it in the environment of the server, or give role_arn."};
  }
  const std::optional<std::string> token = host_.file(path);
  if (!token || token->empty()) {
    return Broken{"the web identity token file \"" + clean_text(path) + "\" cannot be read",
                  "The server's user must be able to read it."};
  }
  return post(place_, encoded({{"Action", "AssumeRoleWithWebIdentity"},
                               {"RoleArn", arn},
                               {"RoleSessionName", session_name(role_, host_)},
                               {"WebIdentityToken", *token}}));
}

Step WebIdentity::answered(const HttpReply& reply) {
  return read_answer(reply, "AssumeRoleWithWebIdentity", "web_identity");
}

AssumeRole::AssumeRole(std::unique_ptr<Source> by, Role role, StsPlace place)
    : by_(std::move(by)), role_(std::move(role)), place_(std::move(place)) {}

Step AssumeRole::begin(std::int64_t now) {
  now_ = now;
  source_.clear();
  return ask(by_->begin(now));
}

Step AssumeRole::answered(const HttpReply& reply) {
  if (source_.empty()) return ask(by_->answered(reply));
  return read_answer(reply, "AssumeRole", source_ + ", role " + clean_text(role_.arn));
}

// Continues once there are keys to sign the request with.
Step AssumeRole::ask(Step step) {
  const Found* found = std::get_if<Found>(&step);
  if (found == nullptr) return step;
  if (!can_be_sent(found->keys)) return Broken{found->source + ": the keys are not valid", ""};
  source_ = found->source;
  HttpRequest request = post(
      place_, encoded({{"Action", "AssumeRole"},
                       {"RoleArn", role_.arn},
                       {"RoleSessionName", role_.session.empty() ? "hydra_export" : role_.session},
                       {"ExternalId", role_.external_id}}));
  sign(request, place_, found->keys, now_);
  return request;
}

}  // namespace hydra::s3::credentials
