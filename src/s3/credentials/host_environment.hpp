// The variables and files that sources of credentials read. Tests replace them.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace hydra::s3::credentials {

struct HostEnvironment {
  std::function<std::string(const std::string& name)> variable;  // '' if not set
  // A file's contents, without white space at its end; nothing if it cannot be read.
  std::function<std::optional<std::string>(const std::string& path)> file;
  std::string home;  // home directory of the process's user
};

HostEnvironment host_environment();  // of this process

}  // namespace hydra::s3::credentials
