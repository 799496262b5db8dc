// An export's manifest, _manifest.json: which objects make up the export, and how whole it is.
//
// jansson stays in the .cpp: its names and the server's collide. All strings must be valid UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace hydra::bucket {

struct ManifestColumn {
  std::string name;
  std::string type;
  bool not_null = false;
};

struct ManifestObject {
  std::string key;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::string sha256;
  std::string etag;
  std::string first_id;
  std::string last_id;
  // The table that holds the rows, where a model has several that share no unique index; else "".
  std::string relation;
  std::uint32_t relation_oid = 0;
};

struct ManifestModel {
  std::string name;
  std::string relation;
  std::string kind;  // "full" or "incremental"
  std::vector<std::string> key_columns;
  std::vector<ManifestColumn> columns;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;
  std::string status;
  std::optional<std::string> error;
  std::optional<std::string> snapshot;  // a pg_snapshot's text
  std::optional<std::string> previous_folder;
  std::optional<std::string> lsn;
  std::optional<std::string> note;
  std::vector<ManifestObject> objects;
};

struct Manifest {
  int version = 1;
  std::string server_version;
  std::string database;
  std::uint32_t timeline = 0;
  std::string destination;
  std::int64_t export_id = 0;
  std::string folder;
  std::string started_at;   // from iso8601()
  std::string finished_at;  // of the reading
  std::string status;
  std::vector<ManifestModel> models;
};

// The manifest as JSON text: fields in the order declared above, absent ones null (a table
// of an object: not there), indented by two
// spaces, with a newline at its end. Throws std::runtime_error naming the field that is not valid
// UTF-8, and std::bad_alloc.
std::string serialize(const Manifest& manifest);

}  // namespace hydra::bucket
