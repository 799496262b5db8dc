// The headers of a store's response.
#pragma once

#include <cstdint>
#include <string_view>

#include "s3/errors.hpp"

namespace hydra::s3 {

// Reads one line of a response's header into `answer`. A status line resets it, because "100
// Continue" may precede the final response. `now`: Unix seconds, for a Retry-After that is a date.
void read_header(std::string_view line, std::int64_t now, Answer& answer);

}  // namespace hydra::s3
