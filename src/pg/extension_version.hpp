// Whether the SQL objects of this database and the library belong together.
#pragma once

#include "pg/error.hpp"

namespace hydra::pg {

// They do not: new files were installed, and ALTER EXTENSION or a restart of the server is to come.
class WrongVersion : public Error {
 public:
  using Error::Error;
};

// Throws WrongVersion unless SQL objects of this version are what the library works with: it reads
// and writes columns that other versions may not have. installed: pg_extension.extversion.
void check_version(const std::string& installed);

}  // namespace hydra::pg
