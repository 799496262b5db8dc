// Calls of the extension's functions, for hints.
#pragma once

#include <string>

namespace hydra::tables {

// "hydra_export.resume()", or "hydra_export.resume(destination => 'lake')" if the destination is
// not "default".
std::string call_of(const std::string& function, const std::string& destination,
                    const std::string& arguments = "");

}  // namespace hydra::tables
