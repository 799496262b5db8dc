// Who may change the place where a destination's objects are stored.
#pragma once

#include "pg/postgres.hpp"
#include "tables/destination.hpp"

namespace hydra::relations {

// If other people can get at the objects of `after` than at those of `before` (see
// tables::may_reach_others()), throws pg::Error unless `caller` may SELECT from the relation of
// each model, as add_model() requires. Models whose relation or role is missing export nothing, and
// are ignored.
void check_move(const tables::Destination& before, const tables::Destination& after, Oid caller);

// The same for a role that resumes a copy of the settings: the place may have been changed while
// the models' relations could not be determined.
void check_holdings(const std::string& destination, Oid caller);

}  // namespace hydra::relations
