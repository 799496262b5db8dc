// Reads a model's rows into objects, in one process or in several.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/pacer.hpp"
#include "bucket/object_name.hpp"
#include "export/table_scan.hpp"
#include "export/uploader.hpp"
#include "tables/history.hpp"

namespace hydra::exporting {

std::vector<row_json::LineColumn> line_columns(const ModelPlan& plan);
std::vector<row_json::KeyColumn> key_columns(const ModelPlan& plan);

// The input of each process.
struct ReadTask {
  std::vector<Leaf> leaves;
  std::vector<row_json::LineColumn> columns;
  std::vector<row_json::KeyColumn> key;
  change::FullXid next_xid = 0;  // see ReadAs
  // owner of the model's relation, as which keys are compared and printed
  Oid owner = 0;
  bucket::ObjectName name;  // without the ids and the number
  bool numbered = false;
  bool apart = false;                  // see ModelPlan
  std::uint64_t bytes_per_second = 0;  // of table data read, or of JSON written; 0 = no limit
};

// State that the processes share, in addition to the task. Occupies size() bytes of memory.
class SharedReading {
 public:
  static std::size_t size(const ReadTask& task);

  // Shares the blocks of all leaves among this many readers. Call after the snapshot is taken and
  // the leaves are locked.
  static SharedReading* make(void* memory, const ReadTask& task, int readers);

  change::BlockDispenser& dispenser(std::size_t leaf) { return leaves()[leaf].dispenser; }

  // A process left out rows of the leaf, or blocks that may hold some.
  void note_left_out(std::size_t leaf) { leaves()[leaf].left_out = true; }

  // Whether all rows of the leaf were read and sent. After the last process has read its share.
  bool sent_all(std::size_t leaf) { return !leaves()[leaf].left_out; }

  // Numbers for the objects' names, starting at 1.
  std::uint64_t next_number() { return ++numbers_; }

 private:
  struct LeafReading {
    change::BlockDispenser dispenser;
    std::atomic<bool> left_out{false};
  };
  SharedReading() = default;
  LeafReading* leaves() { return reinterpret_cast<LeafReading*>(this + 1); }

  std::atomic<std::uint64_t> numbers_{0};
};

// Counts of what was read so far, whether or not it was stored.
struct ReadCounts {
  BlockCounts blocks;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;

  ReadCounts& operator+=(const ReadCounts& other);
};

// Reads this process's share of the rows, and passes the objects made from them to the uploader.
// Created, used and destroyed within one memory context.
class ModelReader {
 public:
  // number: the model's number in the export, for the uploader. All references are kept.
  ModelReader(const ReadTask& task, SharedReading& shared, Snapshot snapshot, std::size_t number,
              Uploader& uploader);

  // Continues to read for a while, or waits for uploads if there is no room. False at the end.
  bool step();

  ReadCounts counts() const;

 private:
  void begin_leaf();
  row_json::ClosedObject close();
  void flush();
  void name_table(row_json::ClosedObject& object) const;
  void pace();
  bool is_paused();
  std::string next_key(const row_json::ClosedObject& object);

  const ReadTask& task_;
  SharedReading& shared_;
  const ReadAs as_;
  const std::size_t number_;
  Uploader& uploader_;
  std::optional<row_json::Key> key_;
  // Looked up for one owner of leaves: functions of the columns' types are checked for that role.
  std::optional<row_json::LineWriter> writer_;
  Oid writes_as_ = 0;
  std::size_t leaf_ = 0;  // the current leaf
  std::unique_ptr<TableScan> scan_;
  std::unique_ptr<row_json::ObjectBuffer> object_;
  ReadCounts done_;  // of leaves and objects that are finished
  Pacer pacer_;
  std::uint64_t paced_ = 0;  // bytes that were passed to it
  std::chrono::steady_clock::time_point resume_at_;
};

}  // namespace hydra::exporting
