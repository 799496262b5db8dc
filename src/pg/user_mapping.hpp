// The options of a user mapping, where PostgreSQL itself keeps passwords of other servers.
//
// pg_user_mapping can be read by superusers only. It belongs to the database and to its
// transactions, is copied by physical replication and pg_upgrade, and is taken along neither by
// publications, which carry tables, nor by pg_dump, as what the mapping is for belongs to an
// extension.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace hydra::pg {

using Options = std::vector<std::pair<std::string, std::string>>;  // name, value

// The options of the mapping that the foreign server hydra_export has for PUBLIC: it depends on no
// role, which could be dropped, and nobody can use a server that has no handler. Empty where there
// is none. Whoever asks, no right is checked.
Options user_mapping();

// Replaces all of them. As the server's owner; concurrent calls are the caller's to exclude. The
// names must be shorter than an SQL identifier, as pg_upgrade writes them down as such.
void set_user_mapping(const Options& options);

// Makes the mapping a member of the extension, if there is one: DROP EXTENSION takes it along, and
// DROP USER MAPPING is refused. Nothing but ourselves can say so in an SQL script or after
// pg_upgrade, as PostgreSQL has no ALTER EXTENSION ... ADD USER MAPPING.
void hold_user_mapping();

}  // namespace hydra::pg
