// Reading a model's rows into objects, by one process or by several that share the work.
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

// What each process has to know.
struct ReadTask {
  std::vector<Leaf> leaves;
  std::vector<row_json::LineColumn> columns;
  std::vector<row_json::KeyColumn> key;
  change::FullXid next_xid = 0;  // see ReadAs
  Oid owner = 0;                 // of the model's relation, as which keys are compared and printed
  bucket::ObjectName name;       // but for the ids and the number
  bool numbered = false;
  bool apart = false;                  // see ModelPlan
  std::uint64_t bytes_per_second = 0;  // of table read, or of JSON made of it; 0 = no limit
};

// What the processes share, beside the task. Lies in memory that is size() bytes large.
class SharedReading {
 public:
  static std::size_t size(const ReadTask& task);

  // Hands out the blocks of all leaves to so many readers. Called when the snapshot is taken and
  // the leaves are locked.
  static SharedReading* make(void* memory, const ReadTask& task, int readers);

  change::BlockDispenser& dispenser(std::size_t leaf) { return dispensers()[leaf]; }

  // Numbers for the objects' names, from 1 on.
  std::uint64_t next_number() { return ++numbers_; }

 private:
  SharedReading() = default;
  change::BlockDispenser* dispensers() {
    return reinterpret_cast<change::BlockDispenser*>(this + 1);
  }

  std::atomic<std::uint64_t> numbers_{0};
};

// What was read so far, arrived or not.
struct ReadCounts {
  BlockCounts blocks;
  std::uint64_t rows = 0;
  std::uint64_t bytes = 0;

  ReadCounts& operator+=(const ReadCounts& other);
};

// Reads this process's share of the rows, and hands the objects made of them to the uploader. Made,
// used and dropped within one memory context.
class ModelReader {
 public:
  // number: the model's place in the export, for the uploader. All references are kept.
  ModelReader(const ReadTask& task, SharedReading& shared, Snapshot snapshot, std::size_t number,
              Uploader& uploader);

  // Reads on for a while, or waits a while for uploads to make room. False at the end.
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
  // Functions of the columns' types that it calls were looked up for one owner of leaves.
  std::optional<row_json::LineWriter> writer_;
  Oid writes_as_ = 0;
  std::size_t leaf_ = 0;  // the one being read
  std::unique_ptr<TableScan> scan_;
  std::unique_ptr<row_json::ObjectBuffer> object_;
  ReadCounts done_;  // leaves and objects that are finished
  Pacer pacer_;
  std::uint64_t paced_ = 0;  // bytes noted with it
  std::chrono::steady_clock::time_point resume_at_;
};

}  // namespace hydra::exporting
