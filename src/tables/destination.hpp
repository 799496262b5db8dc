// Rows of hydra_export.settings and destination_state as structs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/compress.hpp"
#include "s3/endpoint.hpp"
#include "s3/object_headers.hpp"

namespace hydra::tables {

using Micros = std::int64_t;  // since the Unix epoch

// How a store handles If-None-Match.
namespace condition {
inline constexpr const char* honoured = "honoured";
inline constexpr const char* ignored = "ignored";  // objects are overwritten
inline constexpr const char* refused = "refused";  // with an error
}  // namespace condition

struct Destination {
  std::string name;
  std::string bucket;
  std::string region = "us-east-1";
  std::string endpoint, prefix;  // '' if none
  std::string credentials = "static";
  std::string role_arn, external_id;  // '' if none
  std::string addressing = "auto";
  std::string compression = "none";
  std::string conditional = "auto";
  std::string object_headers = "{}";  // a JSON object of strings
  int frequency_hours = 24;
  bool enabled = true;
  std::string last_folder;       // '' before the first export
  std::string start_window;      // '' for any time; see calendar/start_window.hpp
  std::string condition_answer;  // how the store handles If-None-Match; '' while unknown

  s3::EndpointSettings endpoint_settings() const;
  Compression compression_kind() const;  // throws pg::Error if this build lacks it

  // Whether objects are stored with If-None-Match.
  bool is_conditional() const;
  // Whether the store is tested for that: by `on` always, by `auto` unless it is known not to
  // support it.
  bool asks_condition() const;
  // Whether the store is known to support it.
  bool knows_condition() const;
};

// Calls visit(name, member) for each setting that configure() saves. The name is that of its column
// in hydra_export.settings and of configure()'s argument.
template <typename D, typename Visitor>
void for_each_setting(D& destination, Visitor&& visit) {
  visit("bucket", destination.bucket);
  visit("region", destination.region);
  visit("endpoint", destination.endpoint);
  visit("prefix", destination.prefix);
  visit("frequency_hours", destination.frequency_hours);
  visit("credentials", destination.credentials);
  visit("role_arn", destination.role_arn);
  visit("external_id", destination.external_id);
  visit("addressing", destination.addressing);
  visit("compression", destination.compression);
  visit("conditional", destination.conditional);
  visit("object_headers", destination.object_headers);
  visit("start_window", destination.start_window);
}

// All members, see base/archive.hpp.
template <typename Archive>
void fields(Archive& archive, Destination& destination) {
  archive(destination.name, destination.enabled, destination.last_folder,
          destination.condition_answer);
  for_each_setting(destination, [&](const char*, auto& setting) { archive(setting); });
}

// The schedule's state. There is no row after a restore from a dump.
struct DestinationState {
  std::uint32_t database = 0;
  std::int64_t timeline = 0;           // of WAL, when `database` was written
  std::int64_t system_identifier = 0;  // of the cluster, at the same time
  bool own_version = false;            // this cluster wrote the row; it is not a copy
  std::int64_t last_timeline = 0;      // at the newest export, or before the first
  std::optional<Micros> anchor, last_start, last_finish;
  int failures = 0;
};

// Call all of these in a transaction, as the extension's owner.
std::vector<Destination> load_destinations();
std::optional<Destination> find_destination(const std::string& name);
Destination get_destination(const std::string& name);  // throws pg::Error if there is none

void insert_destination(const Destination& destination);
void update_destination(const Destination& destination);  // all but last_folder; sets saved_at

// The destination's object_headers, names in lower case. Throws pg::Error if the text is not a JSON
// object of strings.
s3::Headers to_headers(const std::string& json);

// Locks out other sessions that save or remove destinations or their credentials, until the
// transaction ends.
void lock_destinations();

// Locks out sessions that save or remove destinations, until the transaction ends. Does not
// conflict with itself.
void hold_destinations();

// The same, for a destination that there must be; else throws pg::Error.
void hold_destination(const std::string& name);

// Removes everything that belongs to it except its history. Throws pg::Error if there is none. Does
// not rely on foreign keys, which session_replication_role = replica disables.
void remove_destination(const std::string& name);

std::optional<DestinationState> load_state(const std::string& destination);

// Why the settings are not this database's own but came with a dump, a copy or a restore; '' if
// they are its own. Exports of a copy would go to the same place as those of the original.
std::string origin_problem(const std::optional<DestinationState>& state);

// Whether another cluster wrote the row into the files of this one, as before pg_upgrade.
// Transaction ids are then unchanged, so baselines remain valid.
bool came_with_files(const DestinationState& state);

// Whether one of the functions below is writing to destination_state.
bool is_writing_state();

// Records that exports belong to this database, on this timeline, from now on.
void adopt_destination(const std::string& name);

// Marks all rows as written by this cluster: for rows of a version that did not record clusters.
void adopt_cluster();

// Records that an export uses this folder.
void note_folder(const std::string& destination, const std::string& folder);

// How the store handles If-None-Match: condition::honoured, …, or '' if unknown.
void note_condition(const std::string& destination, const std::string& answer);

// Record the start, and the end, of a scheduled export.
void note_start(const std::string& destination, Micros time);
void note_finish(const std::string& destination, bool succeeded);

}  // namespace hydra::tables
