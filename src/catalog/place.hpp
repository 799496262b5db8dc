// Where a destination's objects lie, and who may change that.
#pragma once

#include "catalog/destination.hpp"
#include "pg/postgres.hpp"

namespace hydra::catalog {

// A name for where a destination's objects lie, the same for all whose objects would be the same.
std::string place_of(const Destination& destination);

// Whether objects of one could overwrite those of the other. A bucket of AWS is the same one at all
// endpoints of its partition.
bool overlap(const Destination& a, const Destination& b);

// Whether objects of `after` lie elsewhere than those of `before`: with what is there nothing could
// be put together any more.
bool is_elsewhere(const Destination& before, const Destination& after);

// Throws pg::Error when `after` sends what `before` holds to another place or another host, or lets
// others read it, and `caller` may not SELECT from the relation of each model, as add_model() would
// want it from him. Models whose relation or role is gone export nothing.
void check_move(const Destination& before, const Destination& after, Oid caller);

// The same for whoever has a copy of the settings export again: where its objects go may have been
// changed while nobody could say what its models are.
void check_holdings(const std::string& destination, Oid caller);

}  // namespace hydra::catalog
