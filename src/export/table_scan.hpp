// Reads one table's rows into objects.
#pragma once

#include <memory>

#include "change/row_source.hpp"
#include "export/model_plan.hpp"
#include "row_json/line_writer.hpp"
#include "row_json/object_buffer.hpp"

namespace hydra::exporting {

// The snapshot under which rows are read.
struct ReadAs {
  Snapshot snapshot = nullptr;
  change::FullXid next_xid = 0;  // not yet assigned to any transaction that the snapshot sees
};

// Whether the leaf's rows come from a query instead of a scan of its blocks.
bool needs_query(const Leaf& leaf);

// Reads the rows of a leaf, selects those that changed, and writes each as a line into an object's
// buffer. Works in steps, so that uploads can proceed in between. The owner's code (a view's query,
// functions of its types) runs as the owner.
class TableScan {
 public:
  // dispenser: of the leaf's blocks. The leaf stays locked while the scan exists. All arguments are
  // used, not copied.
  TableScan(const Leaf& leaf, const ReadAs& as, row_json::LineWriter& writer,
            const row_json::Key& key, change::BlockDispenser& dispenser);
  ~TableScan();
  TableScan(const TableScan&) = delete;
  TableScan& operator=(const TableScan&) = delete;

  // Continues until some work is done or the object has this many bytes. False at the end. Throws
  // pg::Error with the row's id and the column if a value causes an error.
  bool step(row_json::ObjectBuffer& object, std::size_t bytes);

  // Counts of the blocks that were processed. All 0 if the planner chose another access path.
  BlockCounts counts() const;

  // Whether there may be rows in its share that were not sent.
  bool left_out() const;

 private:
  std::unique_ptr<change::RowSource> make_source(change::BlockDispenser& dispenser);
  std::string hint_for(const pg::Error& error) const;
  bool is_wanted(TransactionId xmin);                                    // raw
  bool read_some(row_json::ObjectBuffer& object, std::size_t bytes);     // raw
  void write_row(row_json::ObjectBuffer& object, row_json::Line& line);  // raw
  static void name_culprit(void* self);                                  // raw

  const Leaf& leaf_;
  const ReadAs as_;
  row_json::LineWriter& writer_;
  const row_json::Key& key_;
  Relation relation_ = nullptr;
  std::unique_ptr<change::BlockSelection> selection_;
  change::HeapSource* heap_ = nullptr;  // the source, where it is one
  std::unique_ptr<change::RowSource> source_;
  MemoryContext row_context_ = nullptr;
  Datum* values_ = nullptr;
  bool* nulls_ = nullptr;
  bool unwanted_ = false;  // a row was
  char culprit_[512] = "";
};

}  // namespace hydra::exporting
