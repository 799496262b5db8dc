// Where a destination's objects lie.
#pragma once

#include "tables/destination.hpp"

namespace hydra::tables {

// A name for where a destination's objects lie, the same for all whose objects would be the same.
std::string place_of(const Destination& destination);

// Whether objects of one could overwrite those of the other. A bucket of AWS is the same one at all
// endpoints of its partition.
bool overlap(const Destination& a, const Destination& b);

// Whether objects of `after` lie elsewhere than those of `before`: with what is there nothing could
// be put together any more.
bool is_elsewhere(const Destination& before, const Destination& after);

// Whether `after` sends what `before` holds to another place or another host, or lets others read
// it.
bool may_reach_others(const Destination& before, const Destination& after);

}  // namespace hydra::tables
