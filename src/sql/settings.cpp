// configure(), remove_destination(), pause(), resume(), iam_policy().
#include "calendar/start_window.hpp"
#include "pg/guc.hpp"
#include "pg/spi.hpp"
#include "pg/transaction.hpp"
#include "pg/worker.hpp"
#include "relations/move_rights.hpp"
#include "relations/requirements.hpp"
#include "s3/bucket_rules.hpp"
#include "s3/credentials/chain.hpp"
#include "s3/credentials/key_file.hpp"
#include "sql/arguments.hpp"
#include "sql/next_export.hpp"
#include "sql/secret_statement.hpp"
#include "tables/destination.hpp"
#include "tables/model.hpp"
#include "tables/place.hpp"
#include "tables/policy.hpp"
#include "tables/secrets.hpp"

namespace hydra::sql {
namespace {

using pg::Error;
using tables::Destination;

// The arguments of configure() that are not settings of the destination itself.
struct Keys {
  std::optional<std::string> access_key, secret_key, session_token;
};

Keys read_keys(const Arguments& arguments) {
  return {arguments.text("access_key"), arguments.text("secret_key"),
          arguments.text("session_token")};
}

Error invalid(const std::string& message, const std::string& hint) {
  return Error(ERRCODE_INVALID_PARAMETER_VALUE, message, "", hint);
}

// The form that is compared and sent: no '/' at the end, host in lower case, no default port.
std::string normalized_endpoint(const std::string& endpoint) {
  const std::optional<s3::EndpointUrl> url = s3::parse_endpoint(endpoint);
  if (!url) return endpoint;
  const int usual = url->scheme == "https" ? 443 : 80;
  const std::string port = url->port == usual ? "" : ":" + std::to_string(url->port);
  return url->scheme + "://" + url->host + port + url->path;
}

void check_name(const std::string& name) {
  if (name.empty() || name.size() > 200) {
    throw invalid("destination must have a name of 1 to 200 bytes",
                  "Leave it out for \"default\".");
  }
}

bool is_one_of(std::string_view value, std::initializer_list<std::string_view> values) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

void check_headers(const Destination& destination) {
  const std::string& json = destination.object_headers;
  if (!pg::to_bool(pg::query("SELECT jsonb_typeof($1::jsonb) = 'object'", {json})[0][0])) {
    throw invalid("object_headers must be a JSON object of names and values",
                  "Such as '{\"x-amz-storage-class\": \"STANDARD_IA\"}', or '{}' for none.");
  }
  const s3::Headers headers = tables::to_headers(destination.object_headers);
  for (const auto& [name, value] : headers) {
    const auto problem = s3::object_header_problem(name, value);
    if (!problem) continue;
    throw invalid("header \"" + name + "\" in object_headers " + *problem,
                  "Storage class, encryption by S3 or KMS, tags, ACLs, x-amz-meta-*, cache-control "
                  "and content-disposition can be set.");
  }
  if (const auto problem = s3::object_headers_problem(headers)) {
    throw invalid("headers in object_headers " + *problem, "Set fewer, or shorter ones.");
  }
}

void check_credentials(const Destination& destination) {
  if (const auto problem = s3::credentials::source_problem(destination.credentials)) {
    throw invalid("credentials " + *problem,
                  "Recommended is file:/path, a file on the server. static takes access_key and "
                  "secret_key. All "
                  "others use keys that belong to the server.");
  }
  if (const auto problem = s3::credentials::role_problem(destination.role_arn)) {
    throw invalid("role_arn " + *problem, "It looks like arn:aws:iam::123456789012:role/name.");
  }
  if (destination.role_arn.empty() && !destination.external_id.empty()) {
    throw invalid("external_id is given without role_arn", "Give role_arn with it.");
  }
}

// Checked here because otherwise only the first export would find the problem.
void check_key_file(const Destination& destination) {
  const std::string_view source = destination.credentials;
  if (!source.starts_with(s3::credentials::key_file_prefix)) return;
  s3::credentials::KeyFile file{
      std::string(source.substr(s3::credentials::key_file_prefix.size()))};
  const s3::credentials::Step step = file.begin(0);
  if (const auto* broken = std::get_if<s3::credentials::Broken>(&step))
    throw Error(ERRCODE_INVALID_PARAMETER_VALUE, broken->why, "", broken->hint);
}

// Checks mistakes that check_access() would show only by where its object is stored, or not at all.
void check_place(const Destination& destination) {
  const s3::EndpointSettings place = destination.endpoint_settings();
  if (const auto problem = s3::region_problem(place)) {
    throw invalid("region " + *problem, "Give a name such as eu-central-1.");
  }
  const auto found = s3::bucket_in_endpoint(place);
  if (!found) return;
  throw invalid(
      "endpoint " + found->problem + ", which is added to it for each object",
      std::string("Leave the bucket's name out of endpoint.") +
          (found->may_be ? " If the store's own host has this name, set addressing to path." : ""));
}

void check(const Destination& destination) {
  check_name(destination.name);
  if (destination.bucket.empty()) {
    throw invalid("bucket must not be empty", "Name the bucket with bucket => '...'.");
  }
  if (const auto problem = s3::bucket_name_problem(destination.bucket)) {
    throw invalid("bucket name " + *problem, s3::bucket_name_hint(destination.bucket));
  }
  if (const auto problem = s3::region_problem(destination.region)) {
    throw invalid("region " + *problem, "Give a name such as eu-central-1.");
  }
  if (const auto problem = s3::prefix_problem(destination.prefix)) {
    throw invalid("prefix " + *problem, "Give a prefix such as production/orders, or '' for none.");
  }
  if (destination.frequency_hours < 1 || destination.frequency_hours > 168) {
    throw invalid("frequency_hours must be between 1 and 168, not " +
                      std::to_string(destination.frequency_hours),
                  "24 exports once a day, 168 once a week.");
  }
  if (!calendar::parse_start_window(destination.start_window)) {
    throw invalid(
        "start_window must be two times of the day, not \"" + destination.start_window + "\"",
        "Give it in UTC, such as 22:00-04:30, or '' for any time.");
  }
  if (!is_one_of(destination.addressing, {"auto", "path", "virtual"})) {
    throw invalid("addressing must be auto, path or virtual", "auto suits AWS and most stores.");
  }
  if (!is_one_of(destination.conditional, {"auto", "on", "off"})) {
    throw invalid("conditional must be auto, on or off",
                  "auto sends If-None-Match wherever the store supports it.");
  }
  destination.compression_kind();
  check_headers(destination);
  check_credentials(destination);
  tables::check_policy(destination);
  check_place(destination);
}

void check_overlap(const Destination& destination) {
  for (const Destination& other : tables::load_destinations()) {
    if (other.name == destination.name || !tables::overlap(destination, other)) continue;
    throw Error(ERRCODE_DUPLICATE_OBJECT,
                "bucket and prefix overlap those of destination \"" + other.name + "\"",
                "Objects of one could overwrite objects of the other.",
                "Give each destination of a bucket a prefix of its own.");
  }
}

bool has_value(const std::optional<std::string>& argument) {
  return argument && !argument->empty();
}

// A destination without keys uses those of the server; if they were forgotten, this is the first
// error.
void check_keys_given(const Arguments& arguments, const Destination& destination) {
  if (has_value(arguments.text("credentials")) || pg::guc::server_credentials) return;
  if (destination.credentials != "auto") return;
  throw invalid("access_key and secret_key are missing",
                "Give them, or a file on the server with credentials => 'file:/path'. To use the "
                "server's own keys, have its administrator set hydra_export.server_credentials.");
}

// Given keys are static ones; a new destination without keys uses those of the server.
std::string wanted_source(const Arguments& arguments, const Keys& keys,
                          const Destination& destination) {
  const std::optional<std::string> given = arguments.text("credentials");
  if (has_value(given)) return *given;
  if (has_value(keys.access_key) || has_value(keys.secret_key)) return "static";
  const bool is_new = destination.bucket.empty();
  const bool cleared = given || (keys.access_key && keys.access_key->empty());
  return is_new || cleared ? "auto" : destination.credentials;
}

std::string default_of(std::string_view wanted) {
  const Destination defaults;
  std::string text;
  tables::for_each_setting(defaults, [&](std::string_view name, const auto& setting) {
    if constexpr (std::is_same_v<decltype(setting), const std::string&>) {
      if (name == wanted) text = setting;
    }
  });
  return text;
}

// Reads a setting if it is given. '' stands for its default.
void read_setting(const Arguments& arguments, const char* name, std::string& setting) {
  const std::optional<std::string> given = arguments.text(name);
  if (given) setting = given->empty() ? default_of(name) : *given;
}

void read_setting(const Arguments& arguments, const char* name, int& setting) {
  setting = arguments.integer(name).value_or(setting);
}

void read_settings(const Arguments& arguments, const Keys& keys, Destination& destination) {
  const std::string source = wanted_source(arguments, keys, destination);
  tables::for_each_setting(destination, [&](const char* name, auto& setting) {
    read_setting(arguments, name, setting);
  });
  destination.credentials = source;
  destination.endpoint = normalized_endpoint(destination.endpoint);
  if (!destination.prefix.empty() && destination.prefix.back() != '/') destination.prefix += '/';
}

// Otherwise only the first export would find a line break that was copied with a value.
void check_characters(const std::optional<std::string>& value, const char* name) {
  const auto fits = [](char c) { return c >= 0x20 && c < 0x7f; };
  if (!value || std::all_of(value->begin(), value->end(), fits)) return;
  throw invalid(
      std::string(name) + " contains a line break or another character that keys cannot have",
      "Copy it again, without line breaks.");
}

// The credentials after this call; nothing if they do not change.
std::optional<s3::Credentials> new_credentials(const Keys& keys, bool had_some) {
  check_characters(keys.access_key, "access_key");
  check_characters(keys.secret_key, "secret_key");
  check_characters(keys.session_token, "session_token");
  const bool access = has_value(keys.access_key);
  const bool secret = has_value(keys.secret_key);
  if (access != secret) {
    throw invalid(std::string(access ? "secret_key" : "access_key") + " is missing",
                  "Give access_key and secret_key together.");
  }
  if (access) {
    return s3::Credentials{*keys.access_key, *keys.secret_key, keys.session_token.value_or("")};
  }
  if (!had_some || keys.access_key || keys.secret_key) {
    throw invalid("access_key and secret_key are missing",
                  "Give access_key and secret_key together.");
  }
  if (keys.session_token) {
    throw invalid("session_token is given without access_key and secret_key",
                  "Give access_key and secret_key with it.");
  }
  return std::nullopt;
}

void start_over(const Destination& destination) {
  const bool news = tables::was_exported(destination.name, std::nullopt);
  tables::reset_models(destination.name, std::nullopt);
  if (!news) return;
  pg::report(NOTICE, Error(ERRCODE_SUCCESSFUL_COMPLETION,
                           "the next exports of destination \"" + destination.name +
                               "\" are full ones, as they go to another place"));
}

void warn_without_preload() {
  if (pg::is_preloaded()) return;
  pg::report(WARNING,
             Error(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                   "no export will run on schedule: hydra_export is not in "
                   "shared_preload_libraries",
                   "", "Add it there and restart the server. hydra_export.export_now() works."),
             pg::Statement::hidden);
}

// A misspelled name must not be reported as a destination without a bucket.
void check_new(const std::string& name, const Arguments& arguments) {
  check_name(name);
  if (arguments.text("bucket")) return;
  throw Error(ERRCODE_UNDEFINED_OBJECT, "destination \"" + name + "\" does not exist", "",
              "Give bucket, access_key and secret_key to create it.");
}

// The keys to save; nothing if the saved ones stay, or none are needed.
std::optional<s3::Credentials> check_keys(const Keys& keys, const Destination& destination,
                                          bool had_some) {
  if (destination.credentials == "static") return new_credentials(keys, had_some);
  if (!has_value(keys.access_key) && !has_value(keys.secret_key)) return std::nullopt;
  throw invalid(
      "access_key and secret_key cannot be combined with credentials " + destination.credentials,
      "Leave them out, or set credentials to static.");
}

void save(const std::optional<Destination>& before, const Destination& destination, Oid caller) {
  if (!before) return tables::insert_destination(destination);
  relations::check_move(*before, destination, caller);
  if (tables::is_elsewhere(*before, destination)) start_over(destination);
  if (before->endpoint != destination.endpoint || before->bucket != destination.bucket)
    tables::note_condition(destination.name, "");
  tables::update_destination(destination);
}

void configure(const Arguments& arguments) {
  const Keys keys = read_keys(arguments);
  const Exposure exposure = hold_back({keys.access_key, keys.secret_key, keys.session_token});
  warn_of(exposure);
  const Oid caller = GetUserId();
  pg::AsOwner owner;
  // Locks destinations, because two new ones must not overlap either.
  tables::lock_destinations();
  const std::string name = arguments.required_text("destination");
  const std::optional<Destination> before = tables::find_destination(name);
  if (!before) check_new(name, arguments);
  Destination destination = before.value_or(Destination{});
  destination.name = name;
  read_settings(arguments, keys, destination);
  if (!before || before->credentials != destination.credentials)
    check_keys_given(arguments, destination);
  check(destination);
  if (arguments.text("credentials")) check_key_file(destination);
  check_overlap(destination);
  const bool had_some = before && tables::load_credentials(name).has_value();
  const std::optional<s3::Credentials> credentials = check_keys(keys, destination, had_some);
  save(before, destination, caller);
  if (credentials) tables::save_credentials(name, *credentials);
  if (destination.credentials != "static") tables::forget_credentials(name);
  warn_without_preload();
  if (pg::is_preloaded()) tell_next_export(name);
}

void set_enabled(const std::string& name, bool enabled) {
  pg::query("UPDATE hydra_export.settings SET enabled = $2::boolean WHERE destination = $1",
            {name, pg::text(enabled)});
}

// Makes the settings of a copy this database's own.
void adopt(const std::string& name, const std::optional<tables::DestinationState>& state) {
  tables::lock_destinations();
  if (!state || !tables::came_with_files(*state)) tables::reset_models(name, std::nullopt);
  tables::adopt_destination(name);
}

// Models that can be exported from now on, of a copy or a dump, are exported on behalf of the
// caller too.
void resume(const std::string& name) {
  const Oid caller = GetUserId();
  pg::AsOwner owner;
  tables::lock_destinations();
  tables::get_destination(name);
  const std::optional<tables::DestinationState> state = tables::load_state(name);
  const bool is_copy = !tables::origin_problem(state).empty();
  const bool has_problems = tables::has_problems(name);
  if (is_copy) adopt(name, state);
  for (const tables::Model& model : tables::resolve_restored(name))
    pg::report(WARNING, relations::no_relation(model));
  if (is_copy || has_problems) relations::check_holdings(name, caller);
  set_enabled(name, true);
  tell_next_export(name);
}

// Escapes characters that a policy interprets as a wildcard or the start of a variable.
std::string policy_literal(const std::string& text) {
  std::string literal;
  for (const char c : text) {
    const bool special = c == '*' || c == '?' || c == '$';
    literal += special ? std::string("${") + c + '}' : std::string(1, c);
  }
  return literal;
}

// The ARN of the destination's objects. An alias cannot be used in a policy, and contains only the
// beginning of its access point's name.
std::string objects_arn(const Destination& destination) {
  const std::string partition = s3::partition_of(destination.endpoint_settings());
  std::string arn = "arn:" + (partition.empty() ? "aws" : partition) + ":s3:";
  if (s3::is_access_point(destination.bucket)) {
    arn += destination.region + ":*:accesspoint/" + s3::access_point_name(destination.bucket) +
           "*/object/";
  } else {
    arn += "::" + destination.bucket + '/';
  }
  return arn + policy_literal(destination.prefix) + '*';
}

std::string iam_policy(const std::string& name) {
  pg::AsOwner owner;
  const Destination destination = tables::get_destination(name);
  const std::string resource = objects_arn(destination);
  const s3::HeaderRights rights = s3::rights_for(tables::to_headers(destination.object_headers));
  std::string more;  // actions
  for (const std::string& action : rights.on_object)
    more += ',' + action;
  const pg::Text kms = rights.kms_key.starts_with("arn:") ? pg::Text(rights.kms_key) : std::nullopt;
  return pg::or_empty(
      pg::query("SELECT jsonb_build_object('Version', '2012-10-17', 'Statement',"
                " jsonb_build_array(jsonb_build_object('Effect', 'Allow', 'Action',"
                " CASE $2 WHEN '' THEN to_jsonb('s3:PutObject'::text)"
                " ELSE to_jsonb(string_to_array('s3:PutObject' || $2, ',')) END,"
                " 'Resource', $1::text))"
                " || CASE WHEN $3::text IS NULL THEN '[]' ELSE"
                " jsonb_build_array(jsonb_build_object('Effect', 'Allow',"
                " 'Action', 'kms:GenerateDataKey', 'Resource', $3::text)) END)",
                {resource, more, kms})[0][0]);
}

}  // namespace
}  // namespace hydra::sql

extern "C" {

using hydra::pg::entry;
using hydra::sql::Arguments;

PG_FUNCTION_INFO_V1(hydra_export_configure);
PG_FUNCTION_INFO_V1(hydra_export_remove_destination);
PG_FUNCTION_INFO_V1(hydra_export_pause);
PG_FUNCTION_INFO_V1(hydra_export_resume);
PG_FUNCTION_INFO_V1(hydra_export_iam_policy);

// Whatever error occurs here, the statement may contain a secret and is kept out of the server's
// log.
Datum hydra_export_configure(PG_FUNCTION_ARGS) {
  entry([&]() { hydra::sql::configure(Arguments(fcinfo)); }, hydra::pg::Statement::hidden);
  PG_RETURN_VOID();
}

Datum hydra_export_remove_destination(PG_FUNCTION_ARGS) {
  entry([&]() {
    const std::string name = Arguments(fcinfo).required_text("destination");
    hydra::pg::AsOwner owner;
    hydra::tables::remove_destination(name);
  });
  PG_RETURN_VOID();
}

Datum hydra_export_pause(PG_FUNCTION_ARGS) {
  entry([&]() {
    const std::string name = Arguments(fcinfo).required_text("destination");
    hydra::pg::AsOwner owner;
    hydra::tables::hold_destination(name);
    hydra::sql::set_enabled(name, false);
  });
  PG_RETURN_VOID();
}

Datum hydra_export_resume(PG_FUNCTION_ARGS) {
  entry([&]() { hydra::sql::resume(Arguments(fcinfo).required_text("destination")); });
  PG_RETURN_VOID();
}

Datum hydra_export_iam_policy(PG_FUNCTION_ARGS) {
  return entry([&]() {
    const std::string policy =
        hydra::sql::iam_policy(Arguments(fcinfo).required_text("destination"));
    const char* json = policy.c_str();
    return hydra::pg::call(
        [=]() noexcept { return DirectFunctionCall1(jsonb_in, CStringGetDatum(json)); });
  });
}

}  // extern "C"
