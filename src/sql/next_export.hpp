// Says when a destination is exported next, to those who have just changed that.
#pragma once

#include <string>

namespace hydra::sql {

// As a NOTICE: "first export of destination "default" at 2026-11-25 01:02:00+00", or why none is
// scheduled. As the extension's owner.
void tell_next_export(const std::string& destination);

}  // namespace hydra::sql
