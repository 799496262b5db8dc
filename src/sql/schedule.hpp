// What the current transaction has to do with the schedule.
#pragma once

namespace hydra::sql {

// Whether this transaction changed settings or models, also by removing them. What was rolled back
// to a savepoint does not count.
bool is_changed_here();

}  // namespace hydra::sql
