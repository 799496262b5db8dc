// Protects the keys among configure()'s arguments in the statement that calls it.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace hydra::sql {

// Where a secret may already have been disclosed when configure() runs.
struct Exposure {
  bool literal = false;             // the statement's text contains it
  const char* logged_by = nullptr;  // the setting that logs it as a parameter, or nullptr
};

// In the order of configure()'s arguments.
struct GivenKeys {
  std::optional<std::string> access_key, secret_key, session_token;

  bool any() const { return access_key || secret_key || session_token; }
  std::vector<std::string> secrets() const;
};

// Overwrites the statement's text if a key is given.
Exposure hold_back(const GivenKeys& given);

// Sends a WARNING about the exposure, if there is any.
void warn_of(const Exposure& exposure);

}  // namespace hydra::sql
