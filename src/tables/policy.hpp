// Restrictions by the server's administrator that apply to all destinations.
#pragma once

#include <string>

#include "s3/places.hpp"
#include "tables/destination.hpp"

namespace hydra::tables {

// hydra_export.allowed_places.
s3::Places allowed_places();

// Throws pg::Error if hydra_export.allowed_places, server_credentials or allow_http forbid the
// destination. Checked when settings are saved, and by every export.
void check_policy(const Destination& destination);

}  // namespace hydra::tables
