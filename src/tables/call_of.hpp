// Calls of the extension's functions, as hints show them.
#pragma once

#include <string>

namespace hydra::tables {

// "hydra_export.resume()", or "hydra_export.resume(destination => 'lake')": without its name, the
// call would be for the destination "default".
std::string call_of(const std::string& function, const std::string& destination,
                    const std::string& arguments = "");

}  // namespace hydra::tables
