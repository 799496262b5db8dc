// The credentials and config files that AWS's tools share. The input is a profile's name, the
// credentials file and the config file, with a byte 0 between them.
#include "fuzz.hpp"
#include "s3/credentials/profile.hpp"

namespace {

using namespace hydra::s3::credentials;

struct Files {
  std::string credentials, config;
};

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace hydra;
  fuzz::Input input(data, size);
  const std::string name(input.part());
  const Files files{std::string(input.part()), std::string(input.rest())};
  const HostEnvironment host{[](const std::string&) { return ""; },
                             [&](const std::string& path) {
                               return path.ends_with("config") ? files.config : files.credentials;
                             },
                             "/root"};
  Profile profile(name, {"data", "us-east-1", "", s3::Addressing::automatic}, host);
  const Step step = profile.begin(1369353600);
  if (const auto* found = std::get_if<Found>(&step)) {
    fuzz::require(!found->keys.access_key.empty() && !found->keys.secret_key.empty(),
                  "keys are whole");
    fuzz::require(is_utf8(found->source), "the source's name is UTF-8");
  } else if (const auto* broken = std::get_if<Broken>(&step)) {
    fuzz::require(is_utf8(broken->why), "the reason is UTF-8");
  } else if (const auto* request = std::get_if<HttpRequest>(&step)) {
    for (const auto& [header, value] : request->headers)
      fuzz::require_header_value(value);
  }
  return 0;
}
