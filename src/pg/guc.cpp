#include "pg/guc.hpp"

#include "pg/postgres.hpp"
#include "s3/places.hpp"

namespace hydra::pg::guc {

bool enabled = true;
int first_export_delay = 300;
int file_size = 64 * 1024;
int memory_limit = 256 * 1024;
int upload_concurrency = 4;
int throttle = 0;
int max_workers = 2;
int parallel_workers = 0;
int lock_timeout = 10000;
int max_snapshot_age = 4 * 3600;
int after_failover = full;
bool server_credentials = false;
char* credential_files = nullptr;
char* allowed_places = nullptr;
bool places_unknown = false;
int request_timeout = 60000;
int max_attempts = 8;
int retry_interval = 60;
int history_retention = 90 * 24 * 60;
int max_row_size = 256 * 1024;
char* ca_file = nullptr;
bool allow_http = false;
int debug_seconds_per_hour = 3600;

namespace {

constexpr int max_seconds = 7 * 24 * 3600;

// Sizes of lines have 32 bits in an object's buffer.
constexpr int max_row_kilobytes = 4 * 1024 * 1024 - 1;

const config_enum_entry after_failover_values[] = {
    {"full", full, false}, {"incremental", incremental, false}, {nullptr, 0, false}};

void number(const char* name, const char* meaning, int* value, int least, int most, int unit) {
  DefineCustomIntVariable(name, meaning, nullptr, value, *value, least, most, PGC_SIGHUP, unit,
                          nullptr, nullptr, nullptr);
}

void flag(const char* name, const char* meaning, bool* value) {
  DefineCustomBoolVariable(name, meaning, nullptr, value, *value, PGC_SIGHUP, 0, nullptr, nullptr,
                           nullptr);
}

void text(const char* name, const char* meaning, char** value, GucStringCheckHook check = nullptr,
          GucStringAssignHook assign = nullptr) {
  DefineCustomStringVariable(name, meaning, nullptr, value, "", PGC_SIGHUP, 0, check, assign,
                             nullptr);
}

// Copies the problem of a list of places; false if there is none.
bool copy_problem(const char* list, char* to, std::size_t size) noexcept {
  try {
    const auto problem = s3::places_problem(list);
    if (problem) strlcpy(to, problem->c_str(), size);
    return problem.has_value();
  } catch (...) {
    strlcpy(to, "Memory is exhausted.", size);
    return true;
  }
}

bool check_places(char** value, void**, GucSource) {
  char problem[512];
  if (!copy_problem(*value, problem, sizeof problem)) return true;
  GUC_check_errdetail("%s", problem);
  GUC_check_errhint(
      "Separate places by commas, each an endpoint and a bucket, such as aws/exports-* or "
      "https://minio.example.com/exports.");
  return false;
}

void assign_places(const char*, void*) {
  places_unknown = false;
}

// hydra_export.allowed_buckets was the restriction in version 0.1.0.
bool has_unknown_places() {
  const char* buckets = GetConfigOption("hydra_export.allowed_buckets", true, false);
  const char* list = GetConfigOption("hydra_export.allowed_places", true, false);
  char problem[512];
  if (list != nullptr && *list != '\0') return copy_problem(list, problem, sizeof problem);
  return buckets != nullptr && *buckets != '\0';
}

}  // namespace

void define() {
  flag("hydra_export.enabled",
       "Runs scheduled exports. Turn it off in copies of production servers.", &enabled);
  number("hydra_export.first_export_delay",
         "Time from saving settings and adding a model to the first export.", &first_export_delay,
         0, max_seconds, GUC_UNIT_S);
  number("hydra_export.file_size", "Size of an object's body at which the next object is begun.",
         &file_size, 64, 4 * 1024 * 1024, GUC_UNIT_KB);
  number("hydra_export.memory_limit",
         "Maximum memory for the buffers of one export, across its processes.", &memory_limit, 1024,
         MAX_KILOBYTES, GUC_UNIT_KB);
  number("hydra_export.upload_concurrency", "Maximum number of concurrent uploads per process.",
         &upload_concurrency, 1, 64, 0);
  number("hydra_export.throttle",
         "Maximum amount of table data read, and of JSON written, per second; 0 for no limit.",
         &throttle, 0, INT_MAX, GUC_UNIT_KB);
  number("hydra_export.max_workers",
         "Maximum number of exports that run at the same time in the server.", &max_workers, 1, 64,
         0);
  number("hydra_export.parallel_workers",
         "Maximum number of parallel workers that read a large table, in addition to the export's "
         "own process.",
         &parallel_workers, 0, 1024, 0);
  number("hydra_export.lock_timeout", "Maximum time to wait for the lock on a model's table.",
         &lock_timeout, 1, INT_MAX, GUC_UNIT_MS);
  number("hydra_export.max_snapshot_age",
         "Age of an export's snapshot after which the remaining models take a fresh one.",
         &max_snapshot_age, 1, max_seconds, GUC_UNIT_S);
  DefineCustomEnumVariable(
      "hydra_export.after_failover",
      "Selects whether the first exports after a promotion are full or incremental.", nullptr,
      &after_failover, full, after_failover_values, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
  flag("hydra_export.server_credentials",
       "Allows destinations to use the server's own keys, from its environment, files and roles.",
       &server_credentials);
  text("hydra_export.credential_files",
       "Patterns for the absolute paths of files that may hold keys of destinations, separated by "
       "commas.",
       &credential_files);
  const bool unknown = has_unknown_places();
  text("hydra_export.allowed_places",
       "Endpoints and buckets that may be configured, separated by commas; empty for any but "
       "loopback and link-local ones.",
       &allowed_places, check_places, assign_places);
  places_unknown = unknown;
  number("hydra_export.request_timeout",
         "Time without progress after which an upload attempt is abandoned.", &request_timeout,
         1000, INT_MAX, GUC_UNIT_MS);
  number("hydra_export.max_attempts", "Maximum number of attempts to upload an object.",
         &max_attempts, 1, 100, 0);
  number(
      "hydra_export.retry_interval",
      "Time before a failed export is tried again; doubles with each failure, up to the frequency.",
      &retry_interval, 1, max_seconds, GUC_UNIT_S);
  number("hydra_export.history_retention", "Age at which history is removed, after each export.",
         &history_retention, 1, INT_MAX / 60, GUC_UNIT_MIN);
  number("hydra_export.max_row_size",
         "Maximum size of a row as JSON; a larger row fails its model.", &max_row_size, 64,
         max_row_kilobytes, GUC_UNIT_KB);
  text("hydra_export.ca_file",
       "File with the CA certificates for HTTPS; empty for those of the system.", &ca_file);
  flag("hydra_export.allow_http", "Allows http:// endpoints on hosts other than loopback.",
       &allow_http);
  DefineCustomIntVariable(
      "hydra_export.debug_seconds_per_hour",
      "Length of an hour of the schedule in seconds, for tests.", nullptr, &debug_seconds_per_hour,
      3600, 1, 3600, process_shared_preload_libraries_in_progress ? PGC_POSTMASTER : PGC_SIGHUP,
      GUC_NOT_IN_SAMPLE | GUC_NO_SHOW_ALL, nullptr, nullptr, nullptr);
  MarkGUCPrefixReserved("hydra_export");
}

}  // namespace hydra::pg::guc
