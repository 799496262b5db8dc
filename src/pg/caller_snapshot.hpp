// Releases the snapshot of the statement that called an SQL function, while that function waits.
#pragma once

#include "pg/error.hpp"

namespace hydra::pg {

// VACUUM keeps whatever the calling statement's snapshot could still see. If the statement consists
// only of a call of this function, and is a transaction of its own, it reads nothing more, so its
// snapshot is marked as no longer holding back VACUUM. Otherwise does nothing.
void let_go_of_caller_snapshot(Oid function);

}  // namespace hydra::pg
