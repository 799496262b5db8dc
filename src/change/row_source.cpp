#include "change/row_source.hpp"

namespace hydra::change {
namespace {

// Rows of one fetch. They are copies whose large values stay in their own files, so a fetch is
// small however wide the rows are.
constexpr long rows_per_fetch = 256;

// Rows fill a page from its end, so the next one to be read is most likely the one just below.
// Inlined, as g++ drops the call of a function that does nothing but this.
[[gnu::always_inline]] inline void prefetch_below(HeapTuple tuple) {
  constexpr uint32 line = 64;
  const char* at = reinterpret_cast<const char*>(tuple->t_data);
  for (uint32 below = std::min<uint32>(tuple->t_len, 8 * line); below > line; below -= line)
    __builtin_prefetch(at - below);
  __builtin_prefetch(at - line);
}

}  // namespace

HeapSource::HeapSource(Relation relation, Snapshot snapshot,
                       const std::vector<SourceColumn>& columns, BlockSelection& selection)
    : relation_(relation),
      selection_(selection),
      snapshot_(snapshot),
      values_(columns.size()),
      nulls_(std::make_unique<bool[]>(columns.size())) {
  for (const SourceColumn& column : columns) {
    numbers_.push_back(column.number);
    last_number_ = std::max(last_number_, column.number);
    in_order_ = in_order_ && column.number == static_cast<AttrNumber>(numbers_.size());
  }
  reader_.emplace(RelationGetDescr(relation), static_cast<std::size_t>(last_number_));
}

void HeapSource::open() {
  // From the first block on, so that rows inserted in key order come in key order; with a small
  // ring of buffers, so that other sessions keep theirs.
  scan_ = table_beginscan_strat(relation_, snapshot_, 0, nullptr, true, false);
  slot_ = table_slot_create(relation_, nullptr);
}

RowSource::Next HeapSource::next_run() {
  switch (selection_.next(&run_)) {
    case BlockSelection::Next::pause:
      return Next::pause;
    case BlockSelection::Next::end:
      return Next::end;
    case BlockSelection::Next::run:
      break;
  }
  table_rescan(scan_, nullptr);
  heap_setscanlimits(scan_, run_.first, run_.count);
  in_run_ = true;
  return Next::row;
}

RowSource::Next HeapSource::next(TransactionId* xmin) {
  if (scan_ == nullptr) open();
  while (!in_run_ || !table_scan_getnextslot(scan_, ForwardScanDirection, slot_)) {
    in_run_ = false;
    const Next found = next_run();
    if (found != Next::row) return found;
  }
  if (xmin == nullptr) return Next::row;
  bool null = false;
  *xmin = DatumGetTransactionId(slot_getsysattr(slot_, MinTransactionIdAttributeNumber, &null));
  return Next::row;
}

BlockNumber HeapSource::blocks_ahead() const {
  if (!in_run_) return 0;
  if (TTS_EMPTY(slot_)) return run_.count;
  const BlockNumber position = ItemPointerGetBlockNumber(&slot_->tts_tid);
  return std::min(run_.count, run_.first + run_.count - 1 - position);
}

void HeapSource::read_tuple() {
  if (TTS_IS_BUFFERTUPLE(slot_)) {
    HeapTuple tuple = reinterpret_cast<BufferHeapTupleTableSlot*>(slot_)->base.tuple;
    prefetch_below(tuple);
    if (reader_->read(tuple->t_data, slot_->tts_values, slot_->tts_isnull)) return;
  }
  slot_getsomeattrs(slot_, last_number_);
}

void HeapSource::values(Datum** values, bool** nulls) {
  read_tuple();
  if (in_order_) {
    *values = slot_->tts_values;
    *nulls = slot_->tts_isnull;
    return;
  }
  for (std::size_t i = 0; i < numbers_.size(); ++i) {
    values_[i] = slot_->tts_values[numbers_[i] - 1];
    nulls_[i] = slot_->tts_isnull[numbers_[i] - 1];
  }
  *values = values_.data();
  *nulls = nulls_.get();
}

void HeapSource::close() {
  if (scan_ == nullptr) return;
  ExecDropSingleTupleTableSlot(slot_);
  table_endscan(scan_);
  scan_ = nullptr;
}

QuerySource::QuerySource(std::string sql, Snapshot snapshot, std::size_t columns)
    : sql_(std::move(sql)),
      snapshot_(snapshot),
      values_(columns + 1),
      nulls_(std::make_unique<bool[]>(columns + 1)) {}

void QuerySource::open() {
  SPI_connect();
  PushActiveSnapshot(snapshot_);
  portal_ = SPI_cursor_open_with_args(nullptr, sql_.c_str(), 0, nullptr, nullptr, nullptr, true, 0);
  PopActiveSnapshot();
}

bool QuerySource::fetch() {
  if (rows_ != nullptr) SPI_freetuptable(rows_);
  SPI_cursor_fetch(portal_, true, rows_per_fetch);
  rows_ = SPI_tuptable;
  count_ = SPI_processed;
  current_ = 0;
  return count_ > 0;
}

RowSource::Next QuerySource::next(TransactionId* xmin) {
  if (portal_ == nullptr) open();
  if (rows_ == nullptr || ++current_ >= count_) {
    if (!fetch()) return Next::end;
  }
  if (xmin == nullptr) return Next::row;
  bool null = false;
  const Datum value = heap_getattr(rows_->vals[current_], 1, rows_->tupdesc, &null);
  *xmin = null ? InvalidTransactionId : DatumGetTransactionId(value);
  return Next::row;
}

void QuerySource::values(Datum** values, bool** nulls) {
  heap_deform_tuple(rows_->vals[current_], rows_->tupdesc, values_.data(), nulls_.get());
  *values = values_.data() + 1;
  *nulls = nulls_.get() + 1;
}

void QuerySource::close() {
  if (portal_ == nullptr) return;
  SPI_cursor_close(portal_);
  SPI_finish();
  portal_ = nullptr;
}

}  // namespace hydra::change
