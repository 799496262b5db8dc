// Static credentials of destinations. They are options of a user mapping (pg/user_mapping.hpp) and
// not rows of a table, because publications FOR ALL TABLES would replicate a table.
#pragma once

#include <optional>
#include <string>

#include "s3/credentials.hpp"

namespace hydra::tables {

// Call all of these in a transaction. Those that write: as the extension's owner, while
// hydra_export.settings is locked against other writers.
std::optional<s3::Credentials> load_credentials(const std::string& destination);
void save_credentials(const std::string& destination, const s3::Credentials& credentials);
void forget_credentials(const std::string& destination);

}  // namespace hydra::tables
