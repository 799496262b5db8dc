// The messages between an export's main process and its scan workers, as bytes (base/archive.hpp).
// The structured bindings name all members, so that a new one cannot be forgotten here.
#pragma once

#include "base/archive.hpp"
#include "export/model_reader.hpp"
#include "export/s3_connection.hpp"

namespace hydra {

template <typename Archive>
void fields(Archive& archive, bucket::ObjectName& name) {
  auto& [prefix, folder, model, first_id, last_id, number, suffix] = name;
  archive(prefix, folder, model, first_id, last_id, number, suffix);
}

namespace s3 {

template <typename Archive>
void fields(Archive& archive, Credentials& credentials) {
  auto& [access_key, secret_key, session_token] = credentials;
  archive(access_key, secret_key, session_token);
}

}  // namespace s3

namespace tables {

template <typename Archive>
void fields(Archive& archive, ObjectRow& object) {
  archive(object.key, object.rows, object.bytes, object.sha256, object.etag, object.first_id,
          object.last_id, object.relation, object.relation_oid, object.uploaded_at);
}

}  // namespace tables

namespace relations {

template <typename Archive>
void fields(Archive& archive, Column& column) {
  auto& [name, number, type, collation, not_null, computed_when_read, type_name] = column;
  archive(name, number, type, collation, not_null, computed_when_read, type_name);
}

}  // namespace relations

namespace change {

template <typename Archive>
void fields(Archive& archive, XidSnapshot& snapshot) {
  std::string text = snapshot.text();
  archive(text);
  snapshot = XidSnapshot::parse(text);
}

template <typename Archive>
void fields(Archive& archive, WalBaseline& baseline) {
  auto& [map_position, floor] = baseline;
  archive(map_position, floor);
}

}  // namespace change

namespace row_json {

template <typename Archive>
void fields(Archive& archive, LineColumn& column) {
  auto& [name, place, type] = column;
  archive(name, place, type);
}

template <typename Archive>
void fields(Archive& archive, KeyColumn& column) {
  auto& [name, place, type, collation] = column;
  archive(name, place, type, collation);
}

}  // namespace row_json

namespace exporting {

template <typename Archive>
void fields(Archive& archive, UpdatedSince& since) {
  auto& [condition, number, is_date, bound] = since;
  archive(condition, number, is_date, bound);
}

template <typename Archive>
void fields(Archive& archive, Leaf& leaf) {
  auto& [relation, owner, kind, name, qualified_name, columns, fingerprint, condition,
         updated_at_type, updated_at_number, baseline, updated_since, may_query, has_index,
         has_xmin, reason, wal, whole_table_reason, changed, file_number, logged] = leaf;
  archive(relation, owner, kind, name, qualified_name, columns, fingerprint, condition,
          updated_at_type, updated_at_number, baseline, updated_since, may_query, has_index,
          has_xmin, reason, wal, whole_table_reason, changed, file_number, logged);
}

template <typename Archive>
void fields(Archive& archive, ReadTask& task) {
  auto& [leaves, columns, key, next_xid, owner, name, numbered, apart, bytes_per_second] = task;
  archive(leaves, columns, key, next_xid, owner, name, numbered, apart, bytes_per_second);
}

template <typename Archive>
void fields(Archive& archive, ReadCounts& counts) {
  auto& [blocks, rows, bytes] = counts;
  archive(blocks, rows, bytes);
}

template <typename Archive>
void fields(Archive& archive, Account& account) {
  auto& [destination, saved] = account;
  archive(destination, saved);
}

// Sent to a worker, once.
struct WorkerTask {
  ReadTask read;
  Account account;
  bool keys_change = false;  // the shared keys may be renewed
  std::size_t memory = 0;
};

template <typename Archive>
void fields(Archive& archive, WorkerTask& task) {
  auto& [read, account, keys_change, memory] = task;
  archive(read, account, keys_change, memory);
}

// Sent by a worker, repeatedly.
struct WorkerReport {
  std::vector<tables::ObjectRow> objects;  // stored since the last report
  ReadCounts counts;                       // since the start
  std::string failure;                     // of an object; '' if none
  bool fatal = false;                      // every other object would fail as well
  std::string retry;                       // the first upload that is retried; '' if none
};

template <typename Archive>
void fields(Archive& archive, WorkerReport& report) {
  auto& [objects, counts, failure, fatal, retry] = report;
  archive(objects, counts, failure, fatal, retry);
}

}  // namespace exporting
}  // namespace hydra
