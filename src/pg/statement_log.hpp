// What the server's log keeps of the statement that is running.
#pragma once

#include <optional>
#include <string>

namespace hydra::pg {

// The setting that has the running statement logged together with this secret, which it holds as
// a literal or as a parameter; nothing where neither is logged. A setting that logs slow or sampled
// statements counts: nobody knows yet.
std::optional<std::string> setting_that_logs(const std::string& secret);

}  // namespace hydra::pg
