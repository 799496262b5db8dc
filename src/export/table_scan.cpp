#include "export/table_scan.hpp"

#include "pg/guc.hpp"
#include "pg/spi.hpp"
#include "pg/untrusted_code.hpp"

namespace hydra::exporting {
namespace {

// The most rows of one step: enough to make the cost of a step negligible, and few enough that
// uploads and cancels do not wait long.
constexpr int rows_per_step = 2048;
constexpr std::size_t bytes_per_step = 512 * 1024;

std::string query_of(const Leaf& leaf) {
  std::string sql = leaf.has_xmin ? "SELECT xmin" : "SELECT NULL::xid";
  for (const relations::Column& column : leaf.columns)
    sql += ", " + pg::quote_identifier(column.name);
  sql += leaf.kind == 'v' ? " FROM " : " FROM ONLY ";
  sql += leaf.qualified_name;
  if (leaf.updated_since) sql += " WHERE " + leaf.updated_since->condition;
  return sql;
}

}  // namespace

bool needs_query(const Leaf& leaf) {
  if (!leaf.has_xmin || (leaf.updated_since && leaf.has_index)) return true;
  for (const relations::Column& column : leaf.columns) {
    if (column.computed_when_read) return true;
  }
  return false;
}

TableScan::TableScan(const Leaf& leaf, const ReadAs& as, row_json::LineWriter& writer,
                     const row_json::Key& key, change::BlockDispenser& dispenser)
    : leaf_(leaf), as_(as), writer_(writer), key_(key) {
  source_ = make_source(dispenser);
  row_context_ = pg::call([]() noexcept {
    return AllocSetContextCreate(CurrentMemoryContext, "hydra_export row", ALLOCSET_DEFAULT_SIZES);
  });
}

TableScan::~TableScan() {
  MemoryContextDelete(row_context_);
}

std::unique_ptr<change::RowSource> TableScan::make_source(change::BlockDispenser& dispenser) {
  if (needs_query(leaf_)) {
    std::vector<Oid> types;
    for (const relations::Column& column : leaf_.columns)
      types.push_back(column.type);
    return std::make_unique<change::QuerySource>(query_of(leaf_), leaf_.relation, std::move(types),
                                                 as_.snapshot);
  }
  std::vector<change::SourceColumn> columns;
  for (const relations::Column& column : leaf_.columns) {
    columns.push_back({static_cast<AttrNumber>(column.number), column.name});
  }
  const Oid oid = leaf_.relation;
  // The export's main process has the lock already; a scan worker gets it at once, because its
  // leader has it.
  relation_ = pg::call([=]() noexcept { return table_open(oid, AccessShareLock); });
  // Without a baseline, every block is read.
  selection_ = std::make_unique<change::BlockSelection>(relation_, leaf_.wal, dispenser,
                                                        leaf_.changed ? &*leaf_.changed : nullptr);
  auto heap = std::make_unique<change::HeapSource>(relation_, as_.snapshot, columns, *selection_);
  heap_ = heap.get();
  return heap;
}

BlockCounts TableScan::counts() const {
  if (!selection_) return {};
  BlockCounts counts = selection_->counts();
  counts.read -= heap_->blocks_ahead();
  return counts;
}

bool TableScan::left_out() const {
  const bool by_query = heap_ == nullptr && leaf_.updated_since;
  return unwanted_ || by_query || counts().skipped() > 0;
}

bool TableScan::step(row_json::ObjectBuffer& object, std::size_t bytes) {
  pg::UntrustedCode code(leaf_.owner);
  culprit_[0] = '\0';
  try {
    return pg::call([&]() noexcept { return read_some(object, bytes); });
  } catch (const pg::Error& error) {
    std::string detail = error.detail();
    if (culprit_[0] != '\0') detail += (detail.empty() ? "" : " ") + std::string(culprit_);
    throw pg::Error(error.sqlstate(), error.message(), detail,
                    error.hint().empty() ? hint_for(error) : error.hint());
  }
}

// A hint about the most frequent reason for which code works elsewhere but not here.
std::string TableScan::hint_for(const pg::Error& error) const {
  const int state = error.sqlstate();
  const bool surprises = state == ERRCODE_INSUFFICIENT_PRIVILEGE ||
                         state == ERRCODE_UNDEFINED_TABLE || state == ERRCODE_UNDEFINED_FUNCTION ||
                         state == ERRCODE_UNDEFINED_OBJECT;
  if (!surprises) return "";
  const Oid owner = leaf_.owner;
  const char* name = pg::call([=]() noexcept { return GetUserNameFromId(owner, true); });
  return leaf_.qualified_name + " is read as its owner, role \"" + (name == nullptr ? "?" : name) +
         "\", with search_path = pg_catalog, pg_temp.";
}

void TableScan::name_culprit(void* self) {
  TableScan* scan = static_cast<TableScan*>(self);
  if (scan->values_ == nullptr) return;
  char id[256];
  scan->key_.describe(scan->values_, scan->nulls_, id, sizeof(id));
  const char* column = scan->writer_.current();
  if (column != nullptr) {
    snprintf(scan->culprit_, sizeof(scan->culprit_), "In column \"%s\" of the row with id %s.",
             column, id);
  } else {
    snprintf(scan->culprit_, sizeof(scan->culprit_), "In the row with id %s.", id);
  }
}

void TableScan::write_row(row_json::ObjectBuffer& object, row_json::Line& line) {
  MemoryContextReset(row_context_);
  MemoryContext previous = MemoryContextSwitchTo(row_context_);
  source_->values(&values_, &nulls_);
  writer_.write(line, values_, nulls_);
  object.add(line.start(), values_, nulls_);
  values_ = nullptr;
  MemoryContextSwitchTo(previous);
}

bool TableScan::is_wanted(TransactionId xmin) {
  if (leaf_.baseline && !change::is_changed(xmin, *leaf_.baseline, as_.next_xid)) {
    return false;
  }
  // or the query has applied the condition
  if (!leaf_.updated_since || heap_ == nullptr) return true;
  bool null = false;
  const Datum value = heap_->attribute(static_cast<AttrNumber>(leaf_.updated_since->number), &null);
  if (null) return true;
  const std::int64_t updated_at =
      leaf_.updated_since->is_date ? DatumGetDateADT(value) : DatumGetInt64(value);
  return updated_at >= leaf_.updated_since->bound;
}

bool TableScan::read_some(row_json::ObjectBuffer& object, std::size_t bytes) {
  ErrorContextCallback callback{};
  callback.callback = name_culprit;
  callback.arg = this;
  callback.previous = error_context_stack;
  error_context_stack = &callback;
  PushActiveSnapshot(as_.snapshot);

  row_json::Line line(object.buffer(), static_cast<std::size_t>(pg::guc::max_row_size) * 1024);
  const std::size_t enough = std::min(bytes, object.bytes() + bytes_per_step);
  using Next = change::RowSource::Next;
  Next next = Next::row;
  for (int row = 0; row < rows_per_step && object.bytes() < enough; ++row) {
    TransactionId xmin = InvalidTransactionId;
    next = source_->next(leaf_.baseline ? &xmin : nullptr);
    if (next != Next::row) break;
    if (is_wanted(xmin))
      write_row(object, line);
    else
      unwanted_ = true;
  }
  if (next == Next::end) {
    source_->close();
    if (relation_ != nullptr) table_close(relation_, NoLock);
    relation_ = nullptr;
  }

  PopActiveSnapshot();
  error_context_stack = callback.previous;
  return next != Next::end;
}

}  // namespace hydra::exporting
