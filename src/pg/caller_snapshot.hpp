// The snapshot of the statement that called a function of ours, while that function waits.
#pragma once

#include "pg/error.hpp"

namespace hydra::pg {

// VACUUM keeps whatever the calling statement could still see. Where the call of this function is
// all that the statement consists of, and the statement is a transaction of its own, it reads
// nothing any more: its snapshot then keeps VACUUM back no longer. Elsewhere nothing happens.
void let_go_of_caller_snapshot(Oid function);

}  // namespace hydra::pg
