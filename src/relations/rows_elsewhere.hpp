// Tables some of whose rows are not in their own heaps.
#pragma once

#include "relations/relation_info.hpp"

namespace hydra::relations {

// Some extensions store rows elsewhere (on other nodes, compressed in another table), and provide
// them through the planner. Throws if a table whose heap would be read is one of these. If no
// module hooks into planning, this costs nothing; otherwise a query is planned, which runs as the
// table's owner.
void check_rows_in_heap(const RelationInfo& relation);

// The same for all tables below a partitioned or inherited one, including itself.
void check_rows_in_heaps(Oid relation);

}  // namespace hydra::relations
