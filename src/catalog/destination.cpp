#include "catalog/destination.hpp"

#include "pg/compat.hpp"
#include "pg/spi.hpp"

namespace hydra::catalog {
namespace {

using pg::or_empty;
using pg::Row;
using pg::Text;

const std::string select_destinations =
    "SELECT destination, bucket, region, endpoint, prefix, credentials, addressing,"
    " frequency_hours, enabled, last_folder, start_window, conditional, object_headers,"
    " role_arn, external_id, compression FROM "
    "hydra_export.settings";

Destination to_destination(const Row& row) {
  Destination destination;
  destination.name = or_empty(row[0]);
  destination.bucket = or_empty(row[1]);
  destination.region = or_empty(row[2]);
  destination.endpoint = or_empty(row[3]);
  destination.prefix = or_empty(row[4]);
  destination.credentials = or_empty(row[5]);
  destination.addressing = or_empty(row[6]);
  destination.frequency_hours = static_cast<int>(pg::to_int(row[7]));
  destination.enabled = pg::to_bool(row[8]);
  destination.last_folder = or_empty(row[9]);
  destination.start_window = or_empty(row[10]);
  destination.conditional = or_empty(row[11]);
  destination.object_headers = or_empty(row[12]);
  destination.role_arn = or_empty(row[13]);
  destination.external_id = or_empty(row[14]);
  destination.compression = or_empty(row[15]);
  return destination;
}

std::vector<Text> to_parameters(const Destination& destination) {
  return {
      destination.name,        destination.bucket,         destination.region,
      destination.endpoint,    destination.prefix,         pg::text(destination.frequency_hours),
      destination.credentials, destination.addressing,     destination.start_window,
      destination.conditional, destination.object_headers, destination.role_arn,
      destination.external_id, destination.compression};
}

// Whether a timeline since the given one began where a recovery target said, and not where WAL
// ended, as at the promotion of a standby. The current timeline's history has a line for each one
// before it: its number, where it ended, and why.
bool was_restored(std::int64_t since) {
  if (RecoveryInProgress()) return false;  // a standby writes no WAL of its own yet
  const TimeLineID now = pg::compat::timeline();
  if (now == since || now == 1) return false;
  char name[MAXPGPATH];
  TLHistoryFileName(name, now);
  return pg::to_bool(
      pg::query("SELECT coalesce(bool_or(split_part(line, E'\\t', 1)::integer >= $2::integer"
                "   AND split_part(line, E'\\t', 3) <> 'no recovery target specified'), true)"
                " FROM regexp_split_to_table(pg_read_file('pg_wal/' || $1, 0, 16777216, true), "
                "E'\\n') AS line"
                " WHERE line ~ '^[0-9]+\\t'",
                {name, pg::text(since)})[0][0]);
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
    throw pg::Error(ERRCODE_INVALID_PARAMETER_VALUE, "compression must be none, gzip or zstd");
  }
  if (!is_available(*kind)) {
    throw pg::Error(ERRCODE_FEATURE_NOT_SUPPORTED,
                    "compression " + compression + " is not part of this build", "",
                    "Build hydra_export where pkg-config finds libisal (gzip) and libzstd (zstd).");
  }
  return *kind;
}

bool Destination::is_conditional() const {
  if (conditional == "auto") return s3::resolve(endpoint_settings()).is_aws();
  return conditional == "on";
}

s3::Headers to_headers(const std::string& json) {
  s3::Headers headers;
  for (const Row& row :
       pg::query("SELECT lower(key), value #>> '{}', jsonb_typeof(value) FROM jsonb_each($1::jsonb)"
                 " ORDER BY 1",
                 {json})) {
    if (or_empty(row[2]) != "string") {
      throw pg::Error(ERRCODE_INVALID_PARAMETER_VALUE,
                      "value of header \"" + or_empty(row[0]) + "\" must be a string");
    }
    headers.emplace_back(or_empty(row[0]), or_empty(row[1]));
  }
  return headers;
}

std::vector<Destination> load_destinations() {
  std::vector<Destination> destinations;
  for (const Row& row : pg::query(select_destinations + " ORDER BY destination")) {
    destinations.push_back(to_destination(row));
  }
  return destinations;
}

std::optional<Destination> find_destination(const std::string& name) {
  const pg::Rows rows = pg::query(select_destinations + " WHERE destination = $1", {name});
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
  pg::query(
      "INSERT INTO hydra_export.settings (destination, bucket, region, endpoint, prefix,"
      " frequency_hours, credentials, addressing, start_window, conditional, object_headers,"
      " role_arn, external_id, compression)"
      " VALUES ($1, $2, $3, $4, $5, $6::integer, $7, $8, $9, $10, $11::jsonb, $12, $13, "
      "$14)",
      to_parameters(destination));
  adopt_destination(destination.name);
}

void update_destination(const Destination& destination) {
  pg::query(
      "UPDATE hydra_export.settings SET bucket = $2, region = $3, endpoint = $4, prefix = $5,"
      " frequency_hours = $6::integer, credentials = $7, addressing = $8, start_window = $9,"
      " conditional = $10, object_headers = $11::jsonb, role_arn = $12, external_id = $13, "
      "compression = $14,"
      " saved_at = clock_timestamp() WHERE destination = $1",
      to_parameters(destination));
}

std::optional<s3::Credentials> load_credentials(const std::string& destination) {
  const pg::Rows rows = pg::query(
      "SELECT access_key, secret_key, session_token FROM hydra_export.secrets"
      " WHERE destination = $1",
      {destination});
  if (rows.empty()) return std::nullopt;
  return s3::Credentials{or_empty(rows[0][0]), or_empty(rows[0][1]), or_empty(rows[0][2])};
}

void save_credentials(const std::string& destination, const s3::Credentials& credentials) {
  pg::query(
      "INSERT INTO hydra_export.secrets VALUES ($1, $2, $3, $4) ON CONFLICT (destination)"
      " DO UPDATE SET access_key = $2, secret_key = $3, session_token = $4",
      {destination, credentials.access_key, credentials.secret_key,
       pg::text_or_null(credentials.session_token)});
}

void forget_credentials(const std::string& destination) {
  pg::query("DELETE FROM hydra_export.secrets WHERE destination = $1", {destination});
}

std::optional<DestinationState> load_state(const std::string& destination) {
  const pg::Rows rows = pg::query(
      "SELECT database, timeline, (extract(epoch FROM anchor) * 1000000)::bigint,"
      " (extract(epoch FROM last_start) * 1000000)::bigint,"
      " (extract(epoch FROM last_finish) * 1000000)::bigint, failures"
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
  return state;
}

std::string origin_problem(const std::optional<DestinationState>& state) {
  if (!state) return "restored from a dump";
  if (state->database != MyDatabaseId) return "copied from another database";
  if (was_restored(state->timeline)) return "restored to a point in time";
  return "";
}

void adopt_destination(const std::string& name) {
  pg::query(
      "INSERT INTO hydra_export.destination_state (destination, database, timeline)"
      " VALUES ($1, $2::oid, $3::integer)"
      " ON CONFLICT (destination) DO UPDATE SET database = $2::oid, timeline = $3::integer",
      {name, pg::text(MyDatabaseId), pg::text(pg::compat::timeline())});
}

}  // namespace hydra::catalog
