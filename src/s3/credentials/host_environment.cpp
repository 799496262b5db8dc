#include "s3/credentials/host_environment.hpp"

#include <pwd.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

namespace hydra::s3::credentials {

namespace {

constexpr std::size_t longest_file = 1024 * 1024;

std::string variable_of_process(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr ? value : "";
}

std::optional<std::string> read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string text(longest_file, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad()) return std::nullopt;
  text.resize(text.find_last_not_of(" \t\r\n") + 1);
  return text;
}

std::string home_of_user() {
  const std::string home = variable_of_process("HOME");
  if (!home.empty()) return home;
  const passwd* user = getpwuid(geteuid());
  return user != nullptr ? user->pw_dir : "/";
}

}  // namespace

HostEnvironment host_environment() {
  return {variable_of_process, read_file, home_of_user()};
}

}  // namespace hydra::s3::credentials
