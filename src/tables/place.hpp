// The place where a destination's objects are stored.
#pragma once

#include "tables/destination.hpp"

namespace hydra::tables {

// A name for the place, the same for all destinations whose objects would be the same.
std::string place_of(const Destination& destination);

// Whether objects of one could overwrite those of the other. A bucket of AWS is the same at all
// endpoints of its partition.
bool overlap(const Destination& a, const Destination& b);

// Whether objects of `after` are stored in another place than those of `before`, so that together
// they no longer make up the tables.
bool is_elsewhere(const Destination& before, const Destination& after);

// Whether `after` sends the data of `before` to another place or host, or lets others read it.
bool may_reach_others(const Destination& before, const Destination& after);

}  // namespace hydra::tables
