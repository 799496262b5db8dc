// How the worker reaches a destination's bucket.
#pragma once

#include "catalog/destination.hpp"
#include "s3/client.hpp"

namespace hydra::exporting {

// What a client for this destination is made with. In a transaction, as the extension's owner.
// Throws pg::Error where a destination with static credentials has none.
s3::Options client_options(const catalog::Destination& destination);

// Writes the object <prefix>_hydra_export_check and waits for it. In no transaction. Throws
// pg::Error when it could not be written.
struct Access {
  std::string key;
  s3::Identity identity;
};
Access check_access(const std::string& destination);

}  // namespace hydra::exporting
