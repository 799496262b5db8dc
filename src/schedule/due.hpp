// When a destination is exported next, and the reason for that time.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tables/destination.hpp"
#include "tables/history.hpp"

namespace hydra::schedule {

using tables::Micros;

struct Due {
  tables::Destination destination;
  std::optional<Micros> at;  // nothing: not scheduled
  std::string why;           // "first export", "every 24 hours", "paused", …
  bool without_models = false;
  tables::StartedBy started_by = tables::StartedBy::schedule;
};

// All destinations of this database. Call in a transaction, as the extension's owner.
std::vector<Due> list_due();

}  // namespace hydra::schedule
