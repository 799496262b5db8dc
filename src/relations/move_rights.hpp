// Who may change where a destination's objects go.
#pragma once

#include "pg/postgres.hpp"
#include "tables/destination.hpp"

namespace hydra::relations {

// Throws pg::Error when others may get at the objects of `after` than at those of `before` (see
// tables::may_reach_others()), and `caller` may not SELECT from the relation of each model, as
// add_model() would want it from him. Models whose relation or role is gone export nothing.
void check_move(const tables::Destination& before, const tables::Destination& after, Oid caller);

// The same for whoever has a copy of the settings export again: where its objects go may have been
// changed while nobody could say what its models are.
void check_holdings(const std::string& destination, Oid caller);

}  // namespace hydra::relations
