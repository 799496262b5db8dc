// What configure() does about the statement that calls it, where keys are among the arguments.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace hydra::sql {

// Where a secret may have been seen before configure() could do anything about it.
struct Exposure {
  bool literal = false;             // it is part of the statement's text
  const char* logged_by = nullptr;  // the setting that logs it as a parameter, or nullptr
};

// In the order of configure()'s arguments.
struct GivenKeys {
  std::optional<std::string> access_key, secret_key, session_token;

  bool any() const { return access_key || secret_key || session_token; }
  std::vector<std::string> secrets() const;
};

// Blanks the statement, unless no key is given.
Exposure hold_back(const GivenKeys& given);

// The WARNING that says so, if there is anything to say.
void warn_of(const Exposure& exposure);

}  // namespace hydra::sql
