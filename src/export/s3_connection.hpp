// How the worker reaches a destination's bucket.
#pragma once

#include "s3/client.hpp"
#include "tables/destination.hpp"
#include "tables/secrets.hpp"

namespace hydra::exporting {

// A destination and the keys that are saved for it.
struct Account {
  tables::Destination destination;
  std::optional<s3::Credentials> saved;
};

// In a transaction, as the extension's owner.
Account account_of(const tables::Destination& destination);

// What a client for this account is made with. In a transaction. Throws pg::Error where a
// destination with static credentials has none, or the server's administrator forbids what it asks
// for.
s3::Options client_options(const Account& account);

// The same with keys that another process has.
s3::Options client_options(const Account& account, const s3::Credentials& keys,
                           std::shared_ptr<s3::credentials::Source> source);

}  // namespace hydra::exporting
