// What the administrator of the server allows, whoever configures destinations.
#pragma once

#include <string>

#include "catalog/destination.hpp"

namespace hydra::catalog {

// Throws pg::Error when hydra_export.allowed_buckets, server_credentials or allow_http forbid the
// destination. Checked when settings are saved, and again by every export.
void check_policy(const Destination& destination);

}  // namespace hydra::catalog
