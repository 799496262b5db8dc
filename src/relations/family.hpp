// The other relations that contain a relation's rows: partitions, children, and the relations that
// a view reads.
//
// With a snapshot: as the catalogs were then; without: as they are now.
#pragma once

#include <string>
#include <vector>

#include "pg/spi.hpp"

namespace hydra::relations {

// The tables below a partitioned or inherited one at any depth, preceded by the table itself.
// Partitions that DETACH ... CONCURRENTLY is still detaching are omitted, as in queries.
std::vector<Oid> family_of(Oid relation, Snapshot snapshot = nullptr);

// The names of the omitted ones; '' if none.
std::string being_detached(const std::vector<Oid>& family);

// The relations that a view reads, at any depth. Those that functions in it read are not known.
std::vector<Oid> sources_of(Oid view, Snapshot snapshot = nullptr);

// A parameter of type oid[].
std::string oid_array(const std::vector<Oid>& oids);

}  // namespace hydra::relations
