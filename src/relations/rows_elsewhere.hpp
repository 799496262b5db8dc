// Tables whose rows are not, or not all, in their own heaps.
#pragma once

#include "relations/relation_info.hpp"

namespace hydra::relations {

// Extensions keep rows elsewhere (on other nodes, compressed in another table) and have the planner
// ask them for the rows. Throws where a table whose heap would be read is one of these. Costs
// nothing where no module has a say in planning, else the planning of a query, which runs as the
// table's owner.
void check_rows_in_heap(const RelationInfo& relation);

// The same of all tables below a partitioned or inherited one, itself included.
void check_rows_in_heaps(Oid relation);

}  // namespace hydra::relations
