// The headers of a store's answer.
#pragma once

#include <cstdint>
#include <string_view>

#include "s3/errors.hpp"

namespace hydra::s3 {

// Takes note of one line of an answer's head. A status line begins the answer anew, as "100
// Continue" may come before it. `now`: Unix seconds, for a Retry-After that is a date.
void read_header(std::string_view line, std::int64_t now, Answer& answer);

}  // namespace hydra::s3
