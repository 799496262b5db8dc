// Reading one table's rows into objects.
#pragma once

#include <memory>

#include "change/row_source.hpp"
#include "export/model_plan.hpp"
#include "row_json/line_writer.hpp"
#include "row_json/object_buffer.hpp"

namespace hydra::exporting {

// Under which snapshot rows are read.
struct ReadAs {
  Snapshot snapshot = nullptr;
  change::FullXid next_xid = 0;  // not yet given to any transaction that the snapshot sees
};

// Whether the leaf's rows come from a query, not from a scan of its blocks.
bool needs_query(const Leaf& leaf);

// Goes through the rows of a leaf, picks those that changed, and writes each as a line into an
// object's buffer. Works in steps, so that uploads move on in between. What the table brings along
// (a view's query, functions of its types) runs as its owner.
class TableScan {
 public:
  // dispenser: of the leaf's blocks. The leaf stays locked while the scan lives. All arguments are
  // used, not copied.
  TableScan(const Leaf& leaf, const ReadAs& as, row_json::LineWriter& writer,
            const row_json::Key& key, change::BlockDispenser& dispenser);
  ~TableScan();
  TableScan(const TableScan&) = delete;
  TableScan& operator=(const TableScan&) = delete;

  // Reads on, until some work is done or the object has this many bytes. False at the end. Throws
  // pg::Error with the row's id and the column where a value is to blame.
  bool step(row_json::ObjectBuffer& object, std::size_t bytes);

  // Blocks that it has passed. All 0 where the planner chooses the way.
  BlockCounts counts() const;

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
  char culprit_[512] = "";
};

}  // namespace hydra::exporting
