// What services answer when they are asked for keys: STS (XML), a container's agent and the
// instance metadata service (JSON). The input is a word that names the service, and its answers,
// each behind a byte 0.
#include "fuzz.hpp"
#include "s3/credentials/metadata.hpp"
#include "s3/credentials/sts.hpp"

namespace hydra {
namespace {

using namespace hydra::s3;
using namespace hydra::s3::credentials;
using fuzz::require;

std::string variable(const std::string& name) {
  if (name == "AWS_CONTAINER_CREDENTIALS_FULL_URI") return "http://127.0.0.1/keys";
  if (name == "AWS_WEB_IDENTITY_TOKEN_FILE") return "/token";
  return "";
}

std::unique_ptr<Source> source_named(std::string_view name, const HostEnvironment& host) {
  const Role role{"arn:aws:iam::123456789012:role/export", "", ""};
  const StsPlace place{"https://sts.example.com/", "us-east-1"};
  if (name == "container") return std::make_unique<Container>(host);
  if (name == "instance") return std::make_unique<Instance>(host);
  if (name == "role") {
    return std::make_unique<AssumeRole>(std::make_unique<Container>(host), role, place);
  }
  return std::make_unique<WebIdentity>(role, "", place, host);
}

// Requests hold nothing that adds lines to them; what is said in the end is fit for a message.
void check(const Step& step) {
  if (const auto* request = std::get_if<HttpRequest>(&step)) {
    for (const auto& [name, value] : request->headers)
      fuzz::require_header_value(value);
    fuzz::require_header_value(request->url);
  } else if (const auto* found = std::get_if<Found>(&step)) {
    require(!found->keys.access_key.empty() && !found->keys.secret_key.empty(), "keys are whole");
    require(is_utf8(found->source), "the source's name is UTF-8");
  } else if (const auto* broken = std::get_if<Broken>(&step)) {
    require(is_utf8(broken->why), "the reason is UTF-8");
  }
}

}  // namespace
}  // namespace hydra

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hydra;
  fuzz::Input input(data, size);
  const HostEnvironment host{variable, [](const std::string&) { return "token"; }, "/root"};
  const auto source = source_named(input.part(), host);
  Step step = source->begin(1369353600);
  check(step);
  for (int answers = 0; answers < 4 && std::holds_alternative<HttpRequest>(step); ++answers) {
    const std::string_view body = input.part();
    const bool refused = body.starts_with('!');
    HttpReply reply;
    reply.status = refused ? 400 : 200;
    reply.body = refused ? body.substr(1) : body;
    step = source->answered(reply);
    check(step);
  }
  return 0;
}
