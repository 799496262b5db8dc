// Whether a store refuses to overwrite an object (If-None-Match: *), found out by asking it.
#pragma once

#include "s3/client.hpp"
#include "tables/destination.hpp"

namespace hydra::exporting {

// An object that is stored only where there is none.
struct ConditionalText {
  std::string key;
  std::string text;
  const char* content_type = "";
};

// What came of it. Some stores overwrite whatever is asked, and say nothing: whether one honours
// the condition is known when it has refused to store the same object again.
struct Asked {
  s3::Outcome outcome;     // of the last attempt to store it
  bool was_there = false;  // an object of this key; `outcome` is then the refusal
  std::string answer;      // condition::honoured, …; '' where there was no answer
  std::string refusal;     // what the store said to the header, where it refuses it
};

// Asks the store, and asks twice where it is not known to honour the condition. Where it does not
// take the header, the object is stored without it. Leaves the client as the destination's next
// uploads need it.
Asked ask_condition(s3::Client& client, const tables::Destination& destination,
                    const ConditionalText& object);

// Throws pg::Error where the destination's `conditional` is on, and the store does not do it.
void check_condition(const tables::Destination& destination, const Asked& asked);

// Remembers the answer, in a transaction of its own.
void remember_condition(const std::string& destination, const std::string& answer);

}  // namespace hydra::exporting
