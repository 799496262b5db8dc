// A trial upload: what check_access() does.
#pragma once

#include <string>

#include "s3/client.hpp"

namespace hydra::exporting {

// Writes the object <prefix>_hydra_export_check and waits for it, and asks the store whether it
// would overwrite it, which is remembered. In no transaction. Throws pg::Error when it could not be
// written, or the store does not do what `conditional` says.
struct AccessCheck {
  std::string key;
  s3::Identity identity;
  std::string conditional;  // condition::honoured, …; '' where it was not asked
};
AccessCheck check_access(const std::string& destination);

}  // namespace hydra::exporting
