// Tests whether a store refuses to overwrite an object (If-None-Match: *).
#pragma once

#include "s3/client.hpp"
#include "tables/destination.hpp"

namespace hydra::exporting {

// An object to be stored on the condition that it does not exist.
struct ConditionalText {
  std::string key;
  std::string text;
  const char* content_type = "";
};

// The result. Some stores overwrite without an error: a store is known to honour the condition only
// after it has refused to store the same object again.
struct Asked {
  s3::Outcome outcome;     // of the last attempt to store it
  bool was_there = false;  // the object exists; `outcome` is then the refusal
  std::string answer;      // condition::honoured, …; '' if there was no response
  std::string refusal;     // the store's response to the header, if it refuses it
};

// Stores the object, twice if the store is not known to honour the condition. If the store does not
// accept the header, stores the object without it. Sets the client's condition as the destination's
// next uploads need it.
Asked ask_condition(s3::Client& client, const tables::Destination& destination,
                    const ConditionalText& object);

// Throws pg::Error if the destination's `conditional` is on, and the store does not support it.
void check_condition(const tables::Destination& destination, const Asked& asked);

// Records the result, in a transaction of its own.
void remember_condition(const std::string& destination, const std::string& answer);

}  // namespace hydra::exporting
