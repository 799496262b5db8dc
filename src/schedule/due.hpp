// When a destination is exported next, and why then.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/destination.hpp"
#include "catalog/history.hpp"

namespace hydra::schedule {

using catalog::Micros;

struct Due {
  catalog::Destination destination;
  std::optional<Micros> at;  // nothing: not by itself
  std::string why;           // "first export", "every 24 hours", "paused", …
  catalog::StartedBy started_by = catalog::StartedBy::schedule;
};

// All destinations of this database. Inside a transaction, as the extension's owner.
std::vector<Due> list_due();

}  // namespace hydra::schedule
