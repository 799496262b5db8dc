// Composite values as JSON objects.
#include "row_json/writers.hpp"

namespace hydra::row_json {
namespace {

// How records of one row type are written. A row type cannot contain itself, so values_ is never in
// use twice; anonymous records of another type have their own entry.
struct CompositeWriter : ValueWriter {
  TupleDesc descriptor;  // the row type of the last record
  MemoryContext parts;   // what was made for the row type
  ValueWriter** attributes;
  MemberLead* leads;
  Datum* values;
  bool* nulls;
};

template <typename T>
T* allocate(int count) {
  return static_cast<T*>(palloc0(sizeof(T) * static_cast<std::size_t>(count + 1)));
}

void prepare(CompositeWriter* writer, Oid type, int32 typmod) {
  TupleDesc known = writer->descriptor;
  if (known != nullptr && known->tdtypeid == type && known->tdtypmod == typmod) return;
  writer->descriptor = nullptr;
  if (writer->parts != nullptr) MemoryContextDelete(writer->parts);
  writer->parts =
      AllocSetContextCreate(writer->context, "hydra_export row type", ALLOCSET_SMALL_SIZES);
  MemoryContext previous = MemoryContextSwitchTo(writer->parts);
  TupleDesc descriptor = lookup_rowtype_tupdesc_copy(type, typmod);
  writer->attributes = allocate<ValueWriter*>(descriptor->natts);
  writer->leads = allocate<MemberLead>(descriptor->natts);
  writer->values = allocate<Datum>(descriptor->natts);
  writer->nulls = allocate<bool>(descriptor->natts);
  const char* before = "{";
  for (int i = 0; i < descriptor->natts; ++i) {
    Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
    if (attribute->attisdropped) continue;
    writer->attributes[i] = make_value_writer(attribute->atttypid);
    writer->leads[i] = make_member_lead(before, NameStr(attribute->attname));
    before = ",";
  }
  writer->descriptor = descriptor;
  MemoryContextSwitchTo(previous);
}

char* write_composite(Line& line, char* to, ValueWriter* base, Datum value) {
  check_stack_depth();
  CompositeWriter* writer = static_cast<CompositeWriter*>(base);
  HeapTupleHeader header = DatumGetHeapTupleHeader(value);
  prepare(writer, HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
  HeapTupleData tuple{};
  tuple.t_len = HeapTupleHeaderGetDatumLength(header);
  tuple.t_data = header;
  heap_deform_tuple(&tuple, writer->descriptor, writer->values, writer->nulls);
  bool empty = true;
  for (int i = 0; i < writer->descriptor->natts; ++i) {
    if (writer->attributes[i] == nullptr) continue;
    to = write_member(line, to, writer->leads[i], writer->attributes[i], writer->values[i],
                      writer->nulls[i]);
    empty = false;
  }
  to = line.append(to, empty ? "{}" : "}", empty ? 2 : 1);
  if (static_cast<void*>(header) != DatumGetPointer(value)) pfree(header);
  return to;
}

}  // namespace

ValueWriter* make_composite_writer(Oid type) {
  return allocate_writer<CompositeWriter>(type, write_composite);
}

}  // namespace hydra::row_json
