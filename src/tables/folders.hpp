// Folders that exports of this server have used recently, in any database.
#pragma once

#include <string>

namespace hydra::tables {

// Reserves a folder at a place (see place_of()). False if an export has used it before: one of
// another database with the same place, or of a destination that was removed. The list is in shared
// memory, so if the library is not preloaded, all folders are free.
bool take_folder(const std::string& place, const std::string& folder);

// Call in the hooks for shared memory.
void request_folder_memory();
void attach_folder_memory();

}  // namespace hydra::tables
