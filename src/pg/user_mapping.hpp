// The options of a user mapping, the catalog in which PostgreSQL keeps passwords for foreign
// servers.
//
// Only superusers can read pg_user_mapping. It is transactional and belongs to the database;
// physical replication and pg_upgrade copy it. Publications do not contain it, because they contain
// only tables; pg_dump does not dump a mapping of a server that belongs to an extension.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace hydra::pg {

using Options = std::vector<std::pair<std::string, std::string>>;  // name, value

// The options of the mapping for PUBLIC of the foreign server hydra_export. It depends on no role,
// which could be dropped, and a server without a handler cannot be used. Empty if there is no
// mapping. Privileges are not checked.
Options user_mapping();

// Replaces all options. Call as the server's owner; the caller must exclude concurrent calls. The
// names must be shorter than an SQL identifier, because pg_upgrade writes them as identifiers.
void set_user_mapping(const Options& options);

// Makes the mapping a member of the extension, if there is one: DROP EXTENSION then removes it, and
// DROP USER MAPPING is refused. Needed in SQL scripts and after pg_upgrade, because PostgreSQL has
// no ALTER EXTENSION ... ADD USER MAPPING.
void hold_user_mapping();

}  // namespace hydra::pg
