// The meaning of error responses of S3-compatible stores, and how to handle each (codes from the S3
// API Reference, "Error responses", and from the stores themselves).
#pragma once

#include <span>
#include <string_view>

namespace hydra::s3 {

enum class Action {
  retry,  // another attempt may succeed
  fix,    // another attempt may succeed after a correction: see Fix
  skip,   // no attempt can store this object; others may be stored
  stop    // no object can be stored
};

// What is corrected before the one attempt that Action::fix allows.
enum class Fix {
  none,
  clock,        // sign with the store's time
  place,        // sign for the bucket's own region, use its own endpoint
  credentials,  // fetch them again, if their source can
};

// One kind of response. Entries with a code are found by the code, entries without by their status.
struct KnownError {
  int status;
  std::string_view code;
  Action action;
  Fix fix;
  std::string_view words;  // used if the store gives no message
  std::string_view hint;   // what the user can do, in full sentences
};

std::span<const KnownError> known_errors();

// The entry for a response: by its code, else by its status; nullptr if there is none.
const KnownError* find_known_error(int status, std::string_view code);

// How to handle a response. Either status or code is a sufficient reason for a retry, because
// stores and proxies report errors differently. An unknown status of 500 or above is an error of
// the store: retry.
Action action_for(int status, std::string_view code);

}  // namespace hydra::s3
