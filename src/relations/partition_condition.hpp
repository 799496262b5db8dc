// Which rows of a partitioned table one partition holds, in words that other systems understand.
#pragma once

#include <string>
#include <vector>

#include "relations/relation_info.hpp"

namespace hydra::relations {

// The condition that all rows of a partition meet and no rows of others, as SQL over the given
// columns: comparisons of them with constants. '' where the relation is no partition, and where
// only PostgreSQL can evaluate the condition: of hash partitions, of keys that are expressions or
// not among the columns, of types that others may order or write differently.
std::string partition_condition(Oid relation, const std::vector<Column>& columns);

}  // namespace hydra::relations
