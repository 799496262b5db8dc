// Checks that the SQL objects of this database and the library have the same version.
#pragma once

#include "pg/error.hpp"

namespace hydra::pg {

// They do not: new files were installed, but ALTER EXTENSION or a restart is still to be done.
class WrongVersion : public Error {
 public:
  using Error::Error;
};

// Throws WrongVersion unless the library supports SQL objects of this version: it reads and writes
// columns that other versions may not have. installed: pg_extension.extversion.
void check_version(const std::string& installed);

}  // namespace hydra::pg
