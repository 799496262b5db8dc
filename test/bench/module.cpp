// hydra_export_test: lines without S3, for tests and benchmarks. It links the objects of the
// extension, and is never installed with it.
//
//   hydra_test_line(record) returns bytea       the record's line, without its newline
//   hydra_test_scan(regclass, text, bool)       an export of a table whose objects are dropped
//   hydra_test_error_without_memory()           what is caught of an error for which memory is out
//
// test/bench/module.sql declares them.
#include <sys/resource.h>

#include <fstream>

#include "export/model_reader.hpp"
#include "pg/guc.hpp"
#include "pg/interrupts.hpp"
#include "pg/transaction.hpp"
#include "row_json/line_writer.hpp"

namespace {

using namespace hydra;

// ---- hydra_test_line

// How records of one type are written: kept between the calls of one query.
class RecordWriter {
 public:
  explicit RecordWriter(TupleDesc descriptor)
      : descriptor_(descriptor),
        values_(static_cast<std::size_t>(descriptor->natts)),
        nulls_(std::make_unique<bool[]>(values_.size())),
        writer_(columns_of(descriptor)) {}

  bool writes(HeapTupleHeader header) const {
    return HeapTupleHeaderGetTypeId(header) == descriptor_->tdtypeid &&
           HeapTupleHeaderGetTypMod(header) == descriptor_->tdtypmod;
  }

  // Raw.
  bytea* write(HeapTupleHeader header) {
    HeapTupleData tuple{};
    tuple.t_len = HeapTupleHeaderGetDatumLength(header);
    tuple.t_data = header;
    heap_deform_tuple(&tuple, descriptor_, values_.data(), nulls_.get());
    buffer_.truncate(0);
    row_json::Line line(buffer_, static_cast<std::size_t>(pg::guc::max_row_size) * 1024);
    writer_.write(line, values_.data(), nulls_.get());
    const std::size_t size = buffer_.size() - 1;
    bytea* result = static_cast<bytea*>(palloc(size + VARHDRSZ));
    SET_VARSIZE(result, size + VARHDRSZ);
    std::memcpy(VARDATA(result), buffer_.data(), size);
    return result;
  }

 private:
  static std::vector<row_json::LineColumn> columns_of(TupleDesc descriptor) {
    std::vector<row_json::LineColumn> columns;
    for (int i = 0; i < descriptor->natts; ++i) {
      Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
      if (attribute->attisdropped) continue;
      columns.push_back(
          {NameStr(attribute->attname), static_cast<std::size_t>(i), attribute->atttypid});
    }
    return columns;
  }

  TupleDesc descriptor_;
  std::vector<Datum> values_;
  std::unique_ptr<bool[]> nulls_;
  row_json::LineWriter writer_;
  hydra::ByteBuffer buffer_;
};

void delete_writer(void* writer) {
  delete static_cast<RecordWriter*>(writer);
}

RecordWriter* make_writer(FmgrInfo* function, HeapTupleHeader header) {
  MemoryContext previous = MemoryContextSwitchTo(function->fn_mcxt);
  const Oid type = HeapTupleHeaderGetTypeId(header);
  const int32 modifier = HeapTupleHeaderGetTypMod(header);
  TupleDesc descriptor =
      pg::call([=]() noexcept { return lookup_rowtype_tupdesc_copy(type, modifier); });
  auto writer = std::make_unique<RecordWriter>(descriptor);
  auto* callback = static_cast<MemoryContextCallback*>(
      pg::call([]() noexcept { return palloc0(sizeof(MemoryContextCallback)); }));
  callback->func = delete_writer;
  callback->arg = writer.get();
  MemoryContextRegisterResetCallback(function->fn_mcxt, callback);
  MemoryContextSwitchTo(previous);
  return writer.release();
}

bytea* line_of(FmgrInfo* function, HeapTupleHeader header) {
  auto* writer = static_cast<RecordWriter*>(function->fn_extra);
  if (writer == nullptr || !writer->writes(header)) {
    writer = make_writer(function, header);
    function->fn_extra = writer;
  }
  return pg::call([=]() noexcept { return writer->write(header); });
}

// ---- hydra_test_scan

struct Totals {
  std::uint64_t rows = 0, bytes = 0;
};

// What export/model_reader.cpp does with a table, but for the upload. `close`: objects are sorted
// and hashed before they are dropped.
void scan_leaf(const exporting::ModelPlan& plan, const exporting::Leaf& leaf,
               const change::ExportSnapshot& current, bool close, Totals& totals) {
  const row_json::Key key(exporting::key_columns(plan));
  row_json::LineWriter writer(exporting::line_columns(plan));
  const exporting::ReadAs as{current.snapshot(), current.next_xid()};
  change::BlockDispenser dispenser(change::count_blocks(leaf.relation), 1);
  exporting::TableScan scan(leaf, as, writer, key, dispenser);
  const std::size_t size = static_cast<std::size_t>(pg::guc::file_size) * 1024;
  BufferPool pool(size, 1);
  std::unique_ptr<row_json::ObjectBuffer> object;
  bool more = true;
  while (more) {
    if (!object) object = std::make_unique<row_json::ObjectBuffer>(key, pool);
    more = scan.step(*object, size);
    pg::check_interrupts();
    if (more && object->bytes() < size) continue;
    totals.rows += object->rows();
    totals.bytes += object->bytes();
    if (close && object->rows() > 0) object->close().body->sha256();
    object.reset();
  }
}

Totals scan_table(Oid relation, const std::vector<std::string>& key, bool close) {
  tables::Model model;
  model.name = "test";
  model.relation = relation;
  model.key_columns = key;
  model.added_by = GetUserId();
  exporting::ModelPlan plan = exporting::lock_model(model);
  const change::ExportSnapshot current{change::BeforeSnapshot{}};
  exporting::choose_rows(plan, model, current);
  pg::MemoryScope memory("hydra_export test");
  Totals totals;
  for (const exporting::Leaf& leaf : plan.leaves)
    scan_leaf(plan, leaf, current, close, totals);
  return totals;
}

Datum to_record(FunctionCallInfo call, const Totals& totals) {
  return pg::call([&]() noexcept {
    TupleDesc descriptor = nullptr;
    get_call_result_type(call, nullptr, &descriptor);
    Datum values[2] = {Int64GetDatum(static_cast<int64>(totals.rows)),
                       Int64GetDatum(static_cast<int64>(totals.bytes))};
    bool nulls[2] = {};
    return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(descriptor), values, nulls));
  });
}

// ---- hydra_test_error_without_memory

constexpr int large_message = 64 * 1024 * 1024;

// From now on this process gets some megabytes at the most.
void limit_memory(void*) {
  std::size_t pages = 0;
  std::ifstream("/proc/self/statm") >> pages;
  const rlimit limit{pages * 4096 + large_message / 4, RLIM_INFINITY};
  setrlimit(RLIMIT_AS, &limit);
}

// The callbacks of an error run when its message is complete, so that the copy of it is what fails.
std::string error_without_memory() {
  rlimit before{};
  getrlimit(RLIMIT_AS, &before);
  ErrorContextCallback callback{};
  callback.callback = limit_memory;
  callback.previous = error_context_stack;
  std::string caught = "nothing";
  try {
    error_context_stack = &callback;
    pg::call([]() noexcept { ereport(ERROR, errmsg_internal("%*s", large_message, "x")); });
  } catch (const pg::Error& error) {
    caught = error.message().substr(0, 100);
  }
  error_context_stack = callback.previous;
  setrlimit(RLIMIT_AS, &before);
  return caught;
}

}  // namespace

extern "C" {

PG_MODULE_MAGIC;

PG_FUNCTION_INFO_V1(hydra_test_line);
PG_FUNCTION_INFO_V1(hydra_test_scan);
PG_FUNCTION_INFO_V1(hydra_test_error_without_memory);

Datum hydra_test_line(PG_FUNCTION_ARGS) {
  return PointerGetDatum(
      pg::entry([&] { return line_of(fcinfo->flinfo, PG_GETARG_HEAPTUPLEHEADER(0)); }));
}

Datum hydra_test_scan(PG_FUNCTION_ARGS) {
  return pg::entry([&] {
    const char* column = pg::call([&]() noexcept { return text_to_cstring(PG_GETARG_TEXT_PP(1)); });
    const std::string key(column);
    const Totals totals = scan_table(
        PG_GETARG_OID(0), key.empty() ? std::vector<std::string>{} : std::vector<std::string>{key},
        PG_GETARG_BOOL(2));
    return to_record(fcinfo, totals);
  });
}

Datum hydra_test_error_without_memory(PG_FUNCTION_ARGS) {
  (void)fcinfo;
  return pg::entry([] {
    const std::string caught = error_without_memory();
    const char* message = caught.c_str();
    return pg::call([=]() noexcept { return PointerGetDatum(cstring_to_text(message)); });
  });
}

}  // extern "C"
