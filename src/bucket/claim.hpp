// The object that identifies the export to which a folder belongs.
#pragma once

#include <cstdint>
#include <string>

namespace hydra::bucket {

struct Claim {
  std::uint64_t system_identifier = 0;
  std::string database;  // UTF-8, like all of these
  std::string destination;
  std::int64_t export_id = 0;
  std::string folder;
  std::string started_at;  // ISO 8601
};

// A JSON object and a line break. The system identifier is a string, because many JSON readers lose
// digits of large numbers. Throws std::runtime_error if a text is not valid UTF-8.
std::string serialize(const Claim& claim);

}  // namespace hydra::bucket
