// The test upload of check_access().
#pragma once

#include <string>

#include "s3/client.hpp"

namespace hydra::exporting {

// Writes the object <prefix>_hydra_export_check and waits for it. Then tests whether the store
// would overwrite it, and records the result. Must not run in a transaction. Throws pg::Error if
// the object could not be written, or the store does not support what `conditional` requires.
struct AccessCheck {
  std::string key;
  s3::Identity identity;
  std::string conditional;  // condition::honoured, …; '' if it was not tested
};
AccessCheck check_access(const std::string& destination);

}  // namespace hydra::exporting
