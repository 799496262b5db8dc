// Settings with which a worker connects to a destination's bucket.
#pragma once

#include "s3/client.hpp"
#include "tables/destination.hpp"
#include "tables/secrets.hpp"

namespace hydra::exporting {

// A destination and its stored keys.
struct Account {
  tables::Destination destination;
  std::optional<s3::Credentials> saved;
};

// Call in a transaction, as the extension's owner.
Account account_of(const tables::Destination& destination);

// The options of a client for this account. Call in a transaction. Throws pg::Error if a
// destination with static credentials has none, or if the server's settings forbid what it
// requires.
s3::Options client_options(const Account& account);

// The same, with keys that another process fetched.
s3::Options client_options(const Account& account, std::shared_ptr<s3::credentials::Source> source);

}  // namespace hydra::exporting
