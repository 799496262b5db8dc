// What the answers of S3-compatible stores mean, and what to do about each (codes from the S3 API
// Reference, "Error responses", and from the stores themselves).
#pragma once

#include <span>
#include <string_view>

namespace hydra::s3 {

enum class Action {
  retry,  // another attempt can end otherwise
  fix,    // another attempt can, once what is wrong is put right: see Fix
  skip,   // no attempt helps this object; others may be stored
  stop    // no object will be stored
};

// What is put right before the one attempt that Action::fix allows.
enum class Fix {
  none,
  clock,        // sign with the store's time
  place,        // sign for the bucket's own region, go to its own endpoint
  credentials,  // fetch them anew, where their source can
};

// One kind of answer. Rows with a code are found by it, rows without by their status.
struct KnownError {
  int status;
  std::string_view code;
  Action action;
  Fix fix;
  std::string_view words;  // said where the store gives no message
  std::string_view hint;   // what the user can do, as sentences
};

std::span<const KnownError> known_errors();

// The row for an answer: by its code, else by its status; nullptr where there is none.
const KnownError* find_known_error(int status, std::string_view code);

// What to do. Either of status and code is reason enough to try again: stores and proxies do not
// agree on how to say it. An unknown status from 500 on is the store's own trouble: retry.
Action action_for(int status, std::string_view code);

}  // namespace hydra::s3
