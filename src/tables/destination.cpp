#include "tables/destination.hpp"

#include <fstream>
#include <iterator>

#include "base/clock.hpp"
#include "base/timeline_history.hpp"
#include "pg/compat.hpp"
#include "pg/spi.hpp"
#include "pg/user_mapping.hpp"
#include "tables/model.hpp"
#include "tables/secrets.hpp"

namespace hydra::tables {
namespace {

using pg::or_empty;
using pg::Row;
using pg::Text;

Text to_text(const std::string& value) {
  return value;
}
Text to_text(int value) {
  return pg::text(value);
}

void from_text(const Text& text, std::string& value) {
  value = or_empty(text);
}
void from_text(const Text& text, int& value) {
  value = static_cast<int>(pg::to_int(text));
}

// Parameters are text.
const char* cast_of(std::string_view column) {
  if (column == "frequency_hours") return "::integer";
  if (column == "object_headers") return "::jsonb";
  return "";
}

// The settings as parts of a statement. Columns and placeholders begin with a comma.
struct Settings {
  std::string columns;
  std::string places;        // $2 and so on
  std::vector<Text> values;  // $1, the destination's name, then those
};

Settings settings_of(const Destination& destination) {
  Settings settings;
  settings.values.push_back(destination.name);
  for_each_setting(destination, [&](const std::string& column, const auto& value) {
    settings.values.push_back(to_text(value));
    settings.columns += ", " + column;
    settings.places += ", $" + std::to_string(settings.values.size()) + cast_of(column);
  });
  return settings;
}

std::string select_destinations() {
  return "SELECT destination, enabled, last_folder, condition_answer" +
         settings_of(Destination{}).columns +
         " FROM hydra_export.settings LEFT JOIN hydra_export.destination_state USING (destination)";
}

Destination to_destination(const Row& row) {
  Destination destination;
  destination.name = or_empty(row[0]);
  destination.enabled = pg::to_bool(row[1]);
  destination.last_folder = or_empty(row[2]);
  destination.condition_answer = or_empty(row[3]);
  std::size_t next = 4;
  for_each_setting(destination, [&](const char*, auto& value) { from_text(row[next++], value); });
  return destination;
}

// Whether a timeline since the given one began at a recovery target, and not at the end of WAL, as
// at the promotion of a standby.
bool was_restored(std::int64_t since) {
  if (RecoveryInProgress()) return false;  // a standby does not write WAL yet
  const TimeLineID now = pg::compat::timeline();
  if (now == since || now == 1) return false;
  char name[MAXPGPATH];
  TLHistoryFileName(name, now);
  // Does not use pg_read_file(), for which the extension's owner may have no privilege.
  std::ifstream file(std::string(DataDir) + "/" XLOGDIR "/" + name, std::ios::binary);
  const std::string history{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return ended_at_recovery_target(history, since);
}

Text this_system() {
  return pg::text(static_cast<std::int64_t>(GetSystemIdentifier()));
}

// The id of the writing transaction or subtransaction, which is stored in the row beside its xmin.
Text writing_id() {
  return pg::text(
      pg::call([]() noexcept { return U64FromFullTransactionId(GetCurrentFullTransactionId()); }));
}

bool writing_state = false;

// All changes of destination_state. A change by anything else, such as logical replication, clears
// the row's written_by.
void write_state(const char* statement, const std::vector<Text>& arguments) {
  struct Writing {
    Writing() { writing_state = true; }
    ~Writing() { writing_state = false; }
  };
  const Writing writing;
  pg::query(statement, arguments);
}

// Whether the row is still the version that was written here, in this same file.
bool is_own_version(const Row& row) {
  if (!row[7] || !row[8]) return false;
  const std::uint64_t written_by = std::stoull(*row[7]);
  return static_cast<std::uint32_t>(written_by) == std::stoull(*row[8]) &&
         written_by < U64FromFullTransactionId(ReadNextFullTransactionId());
}

std::optional<Micros> to_micros(const Text& value) {
  if (!value) return std::nullopt;
  return pg::to_int(value);
}

}  // namespace

s3::EndpointSettings Destination::endpoint_settings() const {
  s3::Addressing style = s3::Addressing::automatic;
  if (addressing == "path") style = s3::Addressing::path;
  if (addressing == "virtual") style = s3::Addressing::virtual_hosted;
  return {bucket, region, endpoint, style};
}

Compression Destination::compression_kind() const {
  const std::optional<Compression> kind = parse_compression(compression);
  if (!kind) {
    throw pg::Error(ERRCODE_INVALID_PARAMETER_VALUE, "compression must be none, gzip or zstd", "",
                    "gzip makes .json.gz objects, zstd .json.zst.");
  }
  if (!is_available(*kind)) {
    throw pg::Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                    "compression " + compression + " is not part of this build", "",
                    "Build hydra_export where pkg-config finds libisal (gzip) and libzstd (zstd).");
  }
  return *kind;
}

bool Destination::is_conditional() const {
  return conditional == "on" || (conditional == "auto" && knows_condition());
}

bool Destination::asks_condition() const {
  if (conditional != "auto") return conditional == "on";
  return condition_answer != condition::ignored && condition_answer != condition::refused;
}

bool Destination::knows_condition() const {
  return condition_answer == condition::honoured || s3::resolve(endpoint_settings()).is_aws();
}

s3::Headers to_headers(const std::string& json) {
  s3::Headers headers;
  for (const Row& row :
       pg::query("SELECT lower(key), value #>> '{}', jsonb_typeof(value) FROM jsonb_each($1::jsonb)"
                 " ORDER BY 1",
                 {json})) {
    if (or_empty(row[2]) != "string") {
      throw pg::Error(ERRCODE_INVALID_PARAMETER_VALUE,
                      "value of header \"" + or_empty(row[0]) + "\" must be a string", "",
                      "Put it in double quotes.");
    }
    headers.emplace_back(or_empty(row[0]), or_empty(row[1]));
  }
  return headers;
}

std::vector<Destination> load_destinations() {
  std::vector<Destination> destinations;
  for (const Row& row : pg::query(select_destinations() + " ORDER BY destination")) {
    destinations.push_back(to_destination(row));
  }
  return destinations;
}

std::optional<Destination> find_destination(const std::string& name) {
  const pg::Rows rows = pg::query(select_destinations() + " WHERE destination = $1", {name});
  if (rows.empty()) return std::nullopt;
  return to_destination(rows[0]);
}

Destination get_destination(const std::string& name) {
  std::optional<Destination> destination = find_destination(name);
  if (!destination) {
    throw pg::Error(ERRCODE_UNDEFINED_OBJECT, "destination \"" + name + "\" does not exist", "",
                    "Create it with hydra_export.configure(bucket => ..., destination => ...).");
  }
  return *destination;
}

void insert_destination(const Destination& destination) {
  const Settings settings = settings_of(destination);
  pg::query("INSERT INTO hydra_export.settings (destination" + settings.columns +
                ", last_folder) VALUES ($1" + settings.places +
                // A removed destination may have exported to the same place in this same minute.
                ", (SELECT coalesce(max(folder), '') FROM hydra_export.exports e WHERE NOT EXISTS"
                "   (SELECT FROM hydra_export.settings s WHERE s.destination = e.destination)))",
            settings.values);
  adopt_destination(destination.name);
}

void update_destination(const Destination& destination) {
  const Settings settings = settings_of(destination);
  pg::query("UPDATE hydra_export.settings SET (saved_at" + settings.columns +
                ") = (clock_timestamp()" + settings.places + ") WHERE destination = $1",
            settings.values);
}

void lock_destinations() {
  pg::query("LOCK TABLE hydra_export.settings IN SHARE ROW EXCLUSIVE MODE");
}

void hold_destinations() {
  pg::query("LOCK TABLE hydra_export.settings IN ROW EXCLUSIVE MODE");
}

void hold_destination(const std::string& name) {
  hold_destinations();
  get_destination(name);
}

void remove_destination(const std::string& name) {
  lock_destinations();
  get_destination(name);
  remove_models(name, std::nullopt);
  pg::query("DELETE FROM hydra_export.destination_state WHERE destination = $1", {name});
  forget_credentials(name);
  pg::query("DELETE FROM hydra_export.settings WHERE destination = $1", {name});
}

std::optional<DestinationState> load_state(const std::string& destination) {
  const pg::Rows rows = pg::query(
      "SELECT database, timeline, (extract(epoch FROM anchor) * 1000000)::bigint,"
      " (extract(epoch FROM last_start) * 1000000)::bigint,"
      " (extract(epoch FROM last_finish) * 1000000)::bigint, failures,"
      " system_identifier, written_by, xmin, coalesce(last_timeline, timeline)"
      " FROM hydra_export.destination_state WHERE destination = $1",
      {destination});
  if (rows.empty()) return std::nullopt;
  DestinationState state;
  state.database = static_cast<std::uint32_t>(pg::to_int(rows[0][0]));
  state.timeline = pg::to_int(rows[0][1]);
  state.anchor = to_micros(rows[0][2]);
  state.last_start = to_micros(rows[0][3]);
  state.last_finish = to_micros(rows[0][4]);
  state.failures = static_cast<int>(pg::to_int(rows[0][5]));
  state.system_identifier = pg::to_int(rows[0][6]);
  state.own_version = is_own_version(rows[0]);
  state.last_timeline = pg::to_int(rows[0][9]);
  return state;
}

bool came_with_files(const DestinationState& state) {
  return state.database == MyDatabaseId && state.own_version &&
         static_cast<std::uint64_t>(state.system_identifier) != GetSystemIdentifier();
}

std::string origin_problem(const std::optional<DestinationState>& state) {
  if (!state) return "restored from a dump";
  if (state->database != MyDatabaseId) return "copied from another database";
  if (came_with_files(*state)) {
    return "upgraded by pg_upgrade, or copied with its files to another cluster";
  }
  if (static_cast<std::uint64_t>(state->system_identifier) != GetSystemIdentifier()) {
    return "copied from another cluster";
  }
  if (was_restored(state->timeline)) return "restored to a point in time";
  return "";
}

bool is_writing_state() {
  return writing_state;
}

void adopt_destination(const std::string& name) {
  write_state(
      "INSERT INTO hydra_export.destination_state"
      " (destination, database, timeline, system_identifier, written_by)"
      " VALUES ($1, $2::oid, $3::integer, $4::bigint, $5::xid8)"
      " ON CONFLICT (destination) DO UPDATE SET database = $2::oid, timeline = $3::integer,"
      " system_identifier = $4::bigint, written_by = $5::xid8",
      {name, pg::text(MyDatabaseId), pg::text(pg::compat::timeline()), this_system(),
       writing_id()});
  // pg_upgrade has kept the credentials, but not their membership in the extension.
  pg::hold_user_mapping();
}

void adopt_cluster() {
  write_state(
      "UPDATE hydra_export.destination_state SET system_identifier = $1::bigint,"
      " written_by = $2::xid8",
      {this_system(), writing_id()});
}

void note_folder(const std::string& destination, const std::string& folder) {
  pg::query("UPDATE hydra_export.settings SET last_folder = $2 WHERE destination = $1",
            {destination, folder});
  write_state(
      "UPDATE hydra_export.destination_state SET last_timeline = $2::integer, written_by = $3::xid8"
      " WHERE destination = $1",
      {destination, pg::text(pg::compat::timeline()), writing_id()});
}

// Not in a row of another database or cluster: after the change, it would look like one of this
// cluster.
void note_condition(const std::string& destination, const std::string& answer) {
  write_state(
      "UPDATE hydra_export.destination_state SET condition_answer = nullif($2, ''),"
      " written_by = $3::xid8 WHERE destination = $1 AND condition_answer IS DISTINCT FROM"
      " nullif($2, '') AND database = $4::oid AND system_identifier = $5::bigint",
      {destination, answer, writing_id(), pg::text(MyDatabaseId), this_system()});
}

void note_start(const std::string& destination, Micros time) {
  write_state(
      "UPDATE hydra_export.destination_state SET last_start = $2::timestamptz,"
      " anchor = coalesce(anchor, $2::timestamptz), written_by = $3::xid8 WHERE destination = $1",
      {destination, iso8601(time), writing_id()});
}

void note_finish(const std::string& destination, bool succeeded) {
  write_state(
      "UPDATE hydra_export.destination_state SET last_finish = clock_timestamp(),"
      " failures = CASE WHEN $2::boolean THEN 0 ELSE failures + 1 END, written_by = $3::xid8"
      " WHERE destination = $1",
      {destination, pg::text(succeeded), writing_id()});
}

}  // namespace hydra::tables
