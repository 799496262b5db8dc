#include "change/row_source.hpp"

#include "pg/compat.hpp"

namespace hydra::change {
namespace {

// Rows fill a page from its end, so the next row is most likely just below the current one. Always
// inlined, because g++ removes the call of a function that does only this.
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
  // Starts at the first block, so that rows inserted in key order are read in key order; and uses a
  // small ring of buffers, so that the buffers of other sessions stay.
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

QuerySource::QuerySource(std::string sql, Oid relation, std::vector<Oid> types, Snapshot snapshot)
    : sql_(std::move(sql)),
      relation_(relation),
      types_(std::move(types)),
      snapshot_(snapshot),
      values_(types_.size() + 1),
      nulls_(std::make_unique<bool[]>(types_.size() + 1)) {
  std::memset(&receiver_, 0, sizeof(receiver_));
  receiver_.receiveSlot = receive;
  receiver_.rStartup = [](DestReceiver*, int, TupleDesc) {};
  receiver_.rShutdown = [](DestReceiver*) {};
  receiver_.rDestroy = [](DestReceiver*) {};
  receiver_.mydest = DestNone;
  receiver_.source = this;
}

// A relation was checked and locked, but the statement contains its name: meanwhile another
// relation may have that name (for example after a schema was renamed). Checked before any code of
// the other relation can run.
void QuerySource::check(const Query* query) const {
  const RangeTblEntry* entry = list_length(query->rtable) == 1
                                   ? static_cast<const RangeTblEntry*>(linitial(query->rtable))
                                   : nullptr;
  bool same = entry != nullptr && entry->relid == relation_ &&
              list_length(query->targetList) == static_cast<int>(types_.size()) + 1;
  for (std::size_t i = 0; same && i < types_.size(); ++i) {
    const auto* target =
        static_cast<const TargetEntry*>(list_nth(query->targetList, static_cast<int>(i) + 1));
    same = exprType(reinterpret_cast<const Node*>(target->expr)) == types_[i];
  }
  if (same) return;
  ereport(ERROR, (errcode(ERRCODE_OBJECT_IN_USE),
                  errmsg("the table was replaced or renamed while the export began to read it"),
                  errhint("Its rows come with the next export.")));
}

// Does not use a portal, because the relation's code could move or close it.
void QuerySource::open() {
  List* statements = pg_parse_query(sql_.c_str());
  Query* query = pg::compat::analyze(linitial_node(RawStmt, statements), sql_.c_str());
  check(query);
  Query* rewritten = linitial_node(Query, QueryRewrite(query));
  PlannedStmt* plan = pg::compat::plan(rewritten, sql_.c_str());
  rows_context_ =
      AllocSetContextCreate(CurrentMemoryContext, "hydra_export rows", ALLOCSET_DEFAULT_SIZES);
  query_ = CreateQueryDesc(plan, sql_.c_str(), snapshot_, InvalidSnapshot, &receiver_, nullptr,
                           nullptr, 0);
  ExecutorStart(query_, 0);
}

bool QuerySource::receive(TupleTableSlot* slot, DestReceiver* receiver) {
  QuerySource* source = static_cast<Receiver*>(receiver)->source;
  MemoryContext previous = MemoryContextSwitchTo(source->rows_context_);
  source->rows_[source->count_++] = ExecCopySlotHeapTuple(slot);
  MemoryContextSwitchTo(previous);
  return true;
}

// A plan that has ended would start again.
bool QuerySource::fetch() {
  if (at_end_) return false;
  MemoryContextReset(rows_context_);
  current_ = count_ = 0;
  pg::compat::run_plan(query_, rows_per_fetch);
  at_end_ = count_ < rows_per_fetch;
  return count_ > 0;
}

RowSource::Next QuerySource::next(TransactionId* xmin) {
  if (query_ == nullptr) open();
  if (++current_ >= count_ && !fetch()) return Next::end;
  if (xmin == nullptr) return Next::row;
  bool null = false;
  const Datum value = heap_getattr(rows_[current_], 1, query_->tupDesc, &null);
  *xmin = null ? InvalidTransactionId : DatumGetTransactionId(value);
  return Next::row;
}

void QuerySource::values(Datum** values, bool** nulls) {
  heap_deform_tuple(rows_[current_], query_->tupDesc, values_.data(), nulls_.get());
  *values = values_.data() + 1;
  *nulls = nulls_.get() + 1;
}

void QuerySource::close() {
  if (query_ == nullptr) return;
  ExecutorFinish(query_);
  ExecutorEnd(query_);
  FreeQueryDesc(query_);
  query_ = nullptr;
}

}  // namespace hydra::change
