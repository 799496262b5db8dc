// An export's manifest, _manifest.json: the objects that make up the export, and whether it is
// complete.
//
// jansson is used only in the .cpp, because its names collide with the server's. All strings must
// be valid UTF-8.
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
  // The table that contains the rows, if the model has several without a common unique index; else
  // "".
  std::string relation;
  std::uint32_t relation_oid = 0;
};

// A table of the model of which the export holds all rows, or which is gone and has none: what
// earlier exports hold of it is to be forgotten.
struct Replaced {
  std::string relation;
  std::uint32_t relation_oid = 0;
  std::string condition;  // what its rows meet, as SQL; '' where objects name their table
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
  std::vector<Replaced> replaced;
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
  std::string finished_at;  // when reading ended
  std::string status;
  std::vector<ManifestModel> models;
};

// The manifest as JSON text, with a newline at its end and an indentation of two spaces. The fields
// have the order of the declarations above; absent ones are null, except for an object's table,
// which is omitted. Throws std::bad_alloc, and std::runtime_error naming the field that is not
// valid UTF-8.
std::string serialize(const Manifest& manifest);

}  // namespace hydra::bucket
