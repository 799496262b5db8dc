// The effects of the current transaction on the schedule.
#pragma once

namespace hydra::sql {

// Whether this transaction changed or removed settings or models. Changes that were rolled back to
// a savepoint do not count.
bool is_changed_here();

}  // namespace hydra::sql
