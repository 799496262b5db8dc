// Folders that exports of this server have taken lately, in whatever database.
#pragma once

#include <string>

namespace hydra::tables {

// Takes a folder at a place (see place_of()). False when an export has taken it before: one of
// another database that has the same place, or of a destination that is gone. What is known is in
// shared memory, so where the library is not preloaded nothing is, and all folders are free.
bool take_folder(const std::string& place, const std::string& folder);

// In the hooks for shared memory.
void request_folder_memory();
void attach_folder_memory();

}  // namespace hydra::tables
