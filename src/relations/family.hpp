// Which other relations hold a relation's rows: partitions, children, and what a view reads.
//
// With a snapshot, as it shows the catalogs; with none, as things are now.
#pragma once

#include <string>
#include <vector>

#include "pg/spi.hpp"

namespace hydra::relations {

// The tables below a partitioned or inherited one, in whatever depth, itself included and first.
// Partitions that DETACH ... CONCURRENTLY has not quite taken away are left out, as by queries.
std::vector<Oid> family_of(Oid relation, Snapshot snapshot = nullptr);

// The names of those that are left out; '' for none.
std::string being_detached(const std::vector<Oid>& family);

// The relations that a view reads, in whatever depth; what functions in it read is not known.
std::vector<Oid> sources_of(Oid view, Snapshot snapshot = nullptr);

// A parameter of type oid[].
std::string oid_array(const std::vector<Oid>& oids);

}  // namespace hydra::relations
