// The server's settings, hydra_export.*; README has their names and meanings.
#pragma once

namespace hydra::pg::guc {

extern bool enabled;
extern int first_export_delay;  // s
extern int file_size;           // kB
extern int memory_limit;        // kB
extern int upload_concurrency;
extern int throttle;  // kB/s
extern int max_workers;
extern int parallel_workers;
extern int lock_timeout;      // ms
extern int max_snapshot_age;  // s
extern int after_failover;    // AfterFailover
extern bool server_credentials;
extern char* credential_files;
extern char* allowed_places;
// True if the server was started with an invalid setting of the places to which data may go: then
// it may go nowhere. (The server itself only warns of invalid settings, and drops them.)
extern bool places_unknown;
extern int request_timeout;  // ms
extern int max_attempts;
extern int retry_interval;     // s
extern int history_retention;  // min
extern int max_row_size;       // kB
extern char* ca_file;
extern bool allow_http;
extern int debug_seconds_per_hour;

enum AfterFailover { full, incremental };

void define();

}  // namespace hydra::pg::guc
