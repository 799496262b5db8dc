// money under lc_monetary = C: -$1,234.56
#pragma once

#include <cstddef>
#include <cstdint>

namespace hydra::json {

constexpr std::size_t max_money_size = 32;

// Writes at `to` and returns the end.
char* put_money(char* to, std::int64_t cents) noexcept;

}  // namespace hydra::json
