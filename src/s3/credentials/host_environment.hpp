// The variables and files that sources of credentials read. Tests bring their own.
#pragma once

#include <functional>
#include <optional>
#include <string>

namespace hydra::s3::credentials {

struct HostEnvironment {
  std::function<std::string(const std::string& name)> variable;  // '' where it is not set
  // A file's contents, without white space at its end; nothing where it cannot be read.
  std::function<std::optional<std::string>(const std::string& path)> file;
  std::string home;  // of the user whose process this is
};

HostEnvironment host_environment();  // of this process

}  // namespace hydra::s3::credentials
