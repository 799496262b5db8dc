// Where an export's rows come from: a heap, or a query.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "change/block_selection.hpp"
#include "change/tuple_reader.hpp"
#include "pg/error.hpp"

namespace hydra::change {

// Rows one after another, under one snapshot, as arrays of values. All methods but the destructor
// are raw (pg/error.hpp). When an error ends the scan, close() is not called: the subtransaction's
// end frees what the scan held.
class RowSource {
 public:
  virtual ~RowSource() = default;

  // `pause` = no row yet, ask again: the caller's other work should have its turn.
  enum class Next { row, pause, end };

  // Moves to the next row. `xmin` is the row's raw one; nullptr where it does not matter.
  virtual Next next(TransactionId* xmin) = 0;

  // The current row's values, by the column's place in the list given at the start; valid until
  // the next call of next().
  virtual void values(Datum** values, bool** nulls) = 0;

  virtual void close() = 0;
};

// A column to be read: its number in the table and its name.
struct SourceColumn {
  AttrNumber number;
  std::string name;
};

// The rows on the selected blocks of one heap in physical order, straight from the table access
// method. The relation stays open and locked until after close().
class HeapSource : public RowSource {
 public:
  HeapSource(Relation relation, Snapshot snapshot, const std::vector<SourceColumn>& columns,
             BlockSelection& selection);

  Next next(TransactionId* xmin) override;
  void values(Datum** values, bool** nulls) override;
  void close() override;

  // Blocks of the current run that it has not come to.
  BlockNumber blocks_ahead() const;

  // Any column of the current row, by its number in the table. Raw.
  Datum attribute(AttrNumber number, bool* null) { return slot_getattr(slot_, number, null); }

 private:
  void open();
  Next next_run();
  void read_tuple();

  Relation relation_;
  BlockSelection& selection_;
  bool in_run_ = false;
  BlockRun run_;
  Snapshot snapshot_;
  std::vector<AttrNumber> numbers_;
  AttrNumber last_number_ = 0;
  bool in_order_ = true;  // the columns are the table's first, so read_tuple()'s arrays serve
  std::vector<Datum> values_;
  std::unique_ptr<bool[]> nulls_;
  std::optional<TupleReader> reader_;
  TableScanDesc scan_ = nullptr;
  TupleTableSlot* slot_ = nullptr;
};

// The rows of a query: the planner finds the way to them. Its first column is an xid (the rows'
// xmin; NULL where they have none), the rest are the columns, in order. Code of the relation's
// owner runs in it, so nothing of it can be reached from there.
class QuerySource : public RowSource {
 public:
  // sql: of the form SELECT … FROM name …; relation: what the name has to stand for; types: of the
  // columns.
  QuerySource(std::string sql, Oid relation, std::vector<Oid> types, Snapshot snapshot);

  Next next(TransactionId* xmin) override;
  void values(Datum** values, bool** nulls) override;
  void close() override;

 private:
  // Copies of rows whose large values stay in their own files: a fetch is small however wide they
  // are.
  static constexpr std::uint64_t rows_per_fetch = 256;

  struct Receiver : DestReceiver {
    QuerySource* source;
  };

  void check(const Query* query) const;
  void open();
  bool fetch();
  static bool receive(TupleTableSlot* slot, DestReceiver* receiver);

  std::string sql_;
  Oid relation_;
  std::vector<Oid> types_;
  Snapshot snapshot_;
  std::vector<Datum> values_;
  std::unique_ptr<bool[]> nulls_;
  Receiver receiver_;
  QueryDesc* query_ = nullptr;
  MemoryContext rows_context_ = nullptr;
  HeapTuple rows_[rows_per_fetch];
  std::uint64_t count_ = 0;
  std::uint64_t current_ = 0;
  bool at_end_ = false;
};

}  // namespace hydra::change
