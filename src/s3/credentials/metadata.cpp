#include "s3/credentials/metadata.hpp"

#include <jansson.h>

#include <algorithm>
#include <memory>

#include "base/ascii.hpp"
#include "base/clock.hpp"
#include "s3/endpoint.hpp"
#include "s3/errors.hpp"
#include "s3/header_value.hpp"

namespace hydra::s3::credentials {

namespace {

constexpr std::chrono::milliseconds quick{1000};

struct DropReference {
  void operator()(json_t* value) const noexcept { json_decref(value); }
};

std::string text_of(const json_t* object, const char* name) {
  const char* text = json_string_value(json_object_get(object, name));
  return text != nullptr ? text : "";
}

// Nothing if the response is a success.
std::optional<Broken> refusal(const HttpReply& reply, const std::string& who) {
  if (reply.status == 0) return Broken{who + ": " + clean_text(reply.transport), "", true};
  if (reply.status == 200) return std::nullopt;
  const bool heals = reply.status >= 500 || reply.status == 429;
  return Broken{who + " answered " + std::to_string(reply.status), "", heals};
}

// Where keys may be requested over plain http: the addresses of the known agents, and this machine.
bool is_agent(const EndpointUrl& url) {
  if (url.scheme == "https") return true;
  for (const char* host : {"169.254.170.2", "169.254.170.23", "[fd00:ec2::23]"}) {
    if (url.host == host) return true;
  }
  return url.host == "localhost" || url.host == "[::1]" || url.host.starts_with("127.");
}

constexpr const char* relative_agent = "http://169.254.170.2";

}  // namespace

Step read_document(const std::string& json, const std::string& source) {
  const std::unique_ptr<json_t, DropReference> document(
      json_loadb(json.data(), json.size(), 0, nullptr));
  if (!json_is_object(document.get()))
    return Broken{source + ": the response is not a JSON object", "", true};
  const std::string code = text_of(document.get(), "Code");
  if (!code.empty() && code != "Success")
    return Broken{source + ": " + clean_text(code), "", false};
  Found found;
  found.keys = {text_of(document.get(), "AccessKeyId"), text_of(document.get(), "SecretAccessKey"),
                text_of(document.get(), "Token")};
  found.expires_at = parse_iso8601(text_of(document.get(), "Expiration"));
  found.source = source;
  if (found.keys.access_key.empty() || found.keys.secret_key.empty())
    return Broken{source + ": the answer contains no keys", "", false};
  return found;
}

Step Container::begin(std::int64_t) {
  const std::string relative = host_.variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  const std::string full = host_.variable("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (relative.empty() && full.empty()) {
    return Absent{
        "neither AWS_CONTAINER_CREDENTIALS_RELATIVE_URI nor AWS_CONTAINER_CREDENTIALS_FULL_URI is "
        "set"};
  }
  HttpRequest request;
  request.local = true;
  request.url = relative.empty() ? full : relative_agent + relative;
  const std::string_view without_query =
      std::string_view(request.url).substr(0, request.url.find('?'));
  const auto url = parse_endpoint(without_query);
  if (!url || !is_agent(*url)) {
    return Broken{"AWS_CONTAINER_CREDENTIALS_FULL_URI is not the URL of an agent on this machine",
                  "Plain http:// is accepted for loopback and the agents' own addresses only."};
  }
  std::string token = host_.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  const std::string path = host_.variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (!path.empty()) {
    const auto contents = host_.file(path);
    if (!contents) {
      return Broken{"the container's token file \"" + clean_text(path) + "\" cannot be read",
                    "The server's user must be able to read it."};
    }
    token = *contents;
  }
  if (!is_header_value(token)) return Broken{"the container's token is not valid", ""};
  if (!token.empty()) request.headers.emplace_back("authorization", token);
  return request;
}

Step Container::answered(const HttpReply& reply) {
  if (auto broken = refusal(reply, "container")) return *broken;
  return read_document(reply.body, "container");
}

Step Instance::begin(std::int64_t) {
  if (to_lower(host_.variable("AWS_EC2_METADATA_DISABLED")) == "true")
    return Absent{"AWS_EC2_METADATA_DISABLED is set"};
  service_ = host_.variable("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  if (!parse_endpoint(service_)) service_ = "http://169.254.169.254";
  while (service_.ends_with('/'))
    service_.pop_back();
  asked_ = Asked::token;
  HttpRequest request;
  request.method = "PUT";
  request.url = service_ + "/latest/api/token";
  request.headers = {{"x-aws-ec2-metadata-token-ttl-seconds", "21600"}};
  request.timeout = quick;
  request.local = true;
  return request;
}

HttpRequest Instance::get(const std::string& path) const {
  HttpRequest request;
  request.url = service_ + "/latest/meta-data/iam/security-credentials/" + path;
  request.headers = {{"x-aws-ec2-metadata-token", token_}};
  request.timeout = quick * 5;
  request.local = true;
  return request;
}

Step Instance::answered(const HttpReply& reply) {
  if (asked_ == Asked::role && reply.status == 404) {
    return Broken{"instance: the instance has no role", "Give the instance an instance profile."};
  }
  if (auto broken = refusal(reply, "instance metadata service")) return *broken;
  if (asked_ == Asked::keys) return read_document(reply.body, "instance");
  // Tokens and names of roles are printable; anything else comes from another service.
  const std::string line = reply.body.substr(0, reply.body.find('\n'));
  if (line.empty() || !is_header_value(line) || line.find(' ') != std::string::npos)
    return Broken{"instance: the answer is not that of a metadata service", ""};
  if (asked_ == Asked::token) {
    token_ = line;
    asked_ = Asked::role;
    return get("");
  }
  role_ = line;
  asked_ = Asked::keys;
  return get(role_);
}

}  // namespace hydra::s3::credentials
