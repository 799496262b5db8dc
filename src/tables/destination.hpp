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

// What a store does with If-None-Match.
namespace condition {
inline constexpr const char* honoured = "honoured";
inline constexpr const char* ignored = "ignored";  // objects are overwritten
inline constexpr const char* refused = "refused";  // with an error
}  // namespace condition

struct Destination {
  std::string name;
  std::string bucket;
  std::string region = "us-east-1";
  std::string endpoint, prefix;  // '' for none
  std::string credentials = "static";
  std::string role_arn, external_id;  // '' for none
  std::string addressing = "auto";
  std::string compression = "none";
  std::string conditional = "auto";
  std::string object_headers = "{}";  // a JSON object of strings
  int frequency_hours = 24;
  bool enabled = true;
  std::string last_folder;       // '' before the first export
  std::string start_window;      // '' for any time; see calendar/start_window.hpp
  std::string condition_answer;  // the store's to If-None-Match: '' while it was not asked

  s3::EndpointSettings endpoint_settings() const;
  Compression compression_kind() const;  // throws pg::Error where this build lacks it

  // Whether objects are stored only where there is none.
  bool is_conditional() const;
  // Whether the store is asked for that: by `on` always, by `auto` unless it is known to be vain.
  bool asks_condition() const;
  // Whether the store is known to do it.
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

// All that is known of it, see base/archive.hpp.
template <typename Archive>
void fields(Archive& archive, Destination& destination) {
  archive(destination.name, destination.enabled, destination.last_folder,
          destination.condition_answer);
  for_each_setting(destination, [&](const char*, auto& setting) { archive(setting); });
}

// What the schedule remembers. A row is missing after a restore from a dump.
struct DestinationState {
  std::uint32_t database = 0;
  std::int64_t timeline = 0;           // of WAL, when `database` was written
  std::int64_t system_identifier = 0;  // of the cluster, likewise
  bool own_version = false;            // the row is where it was written, not a copy of it
  std::int64_t last_timeline = 0;      // at the newest export, or before the first
  std::optional<Micros> anchor, last_start, last_finish;
  int failures = 0;
};

// All inside a transaction, as the extension's owner.
std::vector<Destination> load_destinations();
std::optional<Destination> find_destination(const std::string& name);
Destination get_destination(const std::string& name);  // throws pg::Error when there is none

void insert_destination(const Destination& destination);
void update_destination(const Destination& destination);  // all but last_folder; sets saved_at

// The destination's object_headers, names in lower case. Throws pg::Error when they are no JSON
// object of strings.
s3::Headers to_headers(const std::string& json);

// Until the transaction ends, nobody else saves or removes destinations and their credentials.
void lock_destinations();

// Until the transaction ends, nobody saves or removes destinations; others may hold them, too.
void hold_destinations();

// With all that belongs to it but its history. Throws pg::Error when there is none. Nothing is left
// to foreign keys, which session_replication_role = replica switches off.
void remove_destination(const std::string& name);

std::optional<DestinationState> load_state(const std::string& destination);

// Why the settings are not this database's own but came with a dump, a copy or a restore; '' when
// they are its own. Exports of a copy would go where those of the original go.
std::string origin_problem(const std::optional<DestinationState>& state);

// Whether another cluster wrote the row, in the files of this one, as before pg_upgrade.
// Transaction ids then mean what they meant, so that baselines hold.
bool came_with_files(const DestinationState& state);

// Whether the functions below write to destination_state just now, and nobody else.
bool is_writing_state();

// Exports belong to this database, on this timeline, from now on.
void adopt_destination(const std::string& name);

// Says of all rows that this cluster wrote them: for rows of a version that did not know clusters.
void adopt_cluster();

// An export has taken this folder.
void note_folder(const std::string& destination, const std::string& folder);

// What the store does with If-None-Match: condition::honoured, …, or '' for not known.
void note_condition(const std::string& destination, const std::string& answer);

// A scheduled export starts; it has ended.
void note_start(const std::string& destination, Micros time);
void note_finish(const std::string& destination, bool succeeded);

}  // namespace hydra::tables
