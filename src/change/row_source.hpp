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
// are raw (pg/error.hpp). If an error ends the scan, close() is not called: the end of the
// subtransaction frees the scan's resources.
class RowSource {
 public:
  virtual ~RowSource() = default;

  // `pause`: no row yet; the caller should do other work before it calls again.
  enum class Next { row, pause, end };

  // Moves to the next row. `xmin` is the row's raw xmin; pass nullptr if it is not needed.
  virtual Next next(TransactionId* xmin) = 0;

  // The current row's values, in the order of the columns given at the start; valid until the next
  // call of next().
  virtual void values(Datum** values, bool** nulls) = 0;

  virtual void close() = 0;
};

// A column to be read: its number in the table and its name.
struct SourceColumn {
  AttrNumber number;
  std::string name;
};

// The rows on the selected blocks of one heap in physical order, read through the table access
// method. The relation stays open and locked until after close().
class HeapSource : public RowSource {
 public:
  HeapSource(Relation relation, Snapshot snapshot, const std::vector<SourceColumn>& columns,
             BlockSelection& selection);

  Next next(TransactionId* xmin) override;
  void values(Datum** values, bool** nulls) override;
  void close() override;

  // The number of blocks of the current run that it has not reached.
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
  // the columns are the table's first, so read_tuple()'s arrays are used as they are
  bool in_order_ = true;
  std::vector<Datum> values_;
  std::unique_ptr<bool[]> nulls_;
  std::optional<TupleReader> reader_;
  TableScanDesc scan_ = nullptr;
  TupleTableSlot* slot_ = nullptr;
};

// The rows of a query, planned by the server. Its first column is an xid (the rows' xmin; NULL if
// they have none), followed by the columns in order. It runs code of the relation's owner, so that
// code must not be able to reach the executor's state.
class QuerySource : public RowSource {
 public:
  // sql: of the form SELECT … FROM name …; relation: the OID that the name must resolve to; types:
  // the columns' types.
  QuerySource(std::string sql, Oid relation, std::vector<Oid> types, Snapshot snapshot);

  Next next(TransactionId* xmin) override;
  void values(Datum** values, bool** nulls) override;
  void close() override;

 private:
  // Fetched rows are copies whose large values stay in TOAST, so a fetch is small even for wide
  // rows.
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
