// Reports the time of a destination's next export after a change.
#pragma once

#include <string>

namespace hydra::sql {

// Sends a NOTICE: "first export of destination "default" at 2026-11-25 01:02:00+00", or the reason
// why none is scheduled. Call as the extension's owner.
void tell_next_export(const std::string& destination);

}  // namespace hydra::sql
