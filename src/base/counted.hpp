// Counts with their nouns, for messages.
#pragma once

#include <cstdint>
#include <string>

namespace hydra {

// "1 row", "2 rows".
inline std::string counted(std::uint64_t number, const std::string& noun) {
  return std::to_string(number) + ' ' + noun + (number == 1 ? "" : "s");
}

}  // namespace hydra
