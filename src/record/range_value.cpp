// Ranges and multiranges of numbers and dates: their text as range_out() prints it, without a call
// for each bound. Those of other types take the server's way.
#include "json/datetime.hpp"
#include "json/digits.hpp"
#include "json/numeric.hpp"
#include "record/varlena.hpp"
#include "record/writers.hpp"

namespace hydra::record {
namespace {

using WriteBound = void (*)(Line& line, Datum value);

struct RangeWriter : ValueWriter {
  TypeCacheEntry* range;
  WriteBound write_bound;
};

void write_int4(Line& line, Datum value) {
  line.advance_to(json::put_signed(line.room(json::max_integer_size), DatumGetInt32(value)));
}

void write_int8(Line& line, Datum value) {
  line.advance_to(json::put_signed(line.room(json::max_integer_size), DatumGetInt64(value)));
}

// What is not finite is a word like any other here.
void write_number(Line& line, Datum value) {
  const Varlena stored = Varlena::open(value);
  const json::Numeric numeric = json::parse_numeric(stored.data, stored.size);
  line.advance_to(json::put_numeric(line.room(json::max_numeric_size(numeric) + 16), numeric));
  stored.close();
}

void write_infinity(Line& line, bool is_negative) {
  line.append(is_negative ? "-infinity" : "infinity", is_negative ? 9 : 8);
}

// A bound's text with a space in it is quoted, and JSON escapes the quotes.
void write_quoted(Line& line, const char* text, const char* end) {
  line.append("\\\"", 2);
  line.append(text, static_cast<std::size_t>(end - text));
  line.append("\\\"", 2);
}

void write_date(Line& line, Datum value) {
  const DateADT date = DatumGetDateADT(value);
  if (DATE_NOT_FINITE(date)) {
    write_infinity(line, DATE_IS_NOBEGIN(date));
    return;
  }
  char text[json::max_date_size];
  const char* end = json::put_date(text, date);
  if (end[-1] == 'C') {
    write_quoted(line, text, end);  // 0044-03-15 BC
  } else {
    line.append(text, static_cast<std::size_t>(end - text));
  }
}

void write_moment(Line& line, Timestamp value, std::string_view zone) {
  if (TIMESTAMP_NOT_FINITE(value)) {
    write_infinity(line, TIMESTAMP_IS_NOBEGIN(value));
    return;
  }
  char text[json::max_timestamp_size];
  write_quoted(line, text, json::put_timestamp(text, value, ' ', zone));
}

void write_timestamp(Line& line, Datum value) {
  write_moment(line, DatumGetTimestamp(value), "");
}

void write_timestamptz(Line& line, Datum value) {
  write_moment(line, DatumGetTimestampTz(value), "+00");
}

WriteBound bound_writer(Oid type) {
  switch (type) {
    case INT4OID:
      return write_int4;
    case INT8OID:
      return write_int8;
    case NUMERICOID:
      return write_number;
    case DATEOID:
      return write_date;
    case TIMESTAMPOID:
      return write_timestamp;
    case TIMESTAMPTZOID:
      return write_timestamptz;
    default:
      return nullptr;
  }
}

void write_bounds(Line& line, const RangeWriter* writer, const RangeBound& lower,
                  const RangeBound& upper) {
  line.put(lower.inclusive ? '[' : '(');
  if (!lower.infinite) writer->write_bound(line, lower.val);
  line.put(',');
  if (!upper.infinite) writer->write_bound(line, upper.val);
  line.put(upper.inclusive ? ']' : ')');
}

void write_range(Line& line, ValueWriter* base, Datum value) {
  const RangeWriter* writer = static_cast<RangeWriter*>(base);
  RangeType* range = DatumGetRangeTypeP(value);
  RangeBound lower;
  RangeBound upper;
  bool empty = false;
  range_deserialize(writer->range, range, &lower, &upper, &empty);
  line.put('"');
  if (empty) {
    line.append("empty", 5);
  } else {
    write_bounds(line, writer, lower, upper);
  }
  line.put('"');
  if (static_cast<void*>(range) != DatumGetPointer(value)) pfree(range);
}

void write_multirange(Line& line, ValueWriter* base, Datum value) {
  const RangeWriter* writer = static_cast<RangeWriter*>(base);
  MultirangeType* ranges = DatumGetMultirangeTypeP(value);
  line.append("\"{", 2);
  for (uint32 i = 0; i < ranges->rangeCount; ++i) {
    if (i > 0) line.put(',');
    RangeBound lower;
    RangeBound upper;
    multirange_get_bounds(writer->range, ranges, i, &lower, &upper);
    write_bounds(line, writer, lower, upper);
  }
  line.append("}\"", 2);
  if (static_cast<void*>(ranges) != DatumGetPointer(value)) pfree(ranges);
}

ValueWriter* make_writer(Oid type, TypeCacheEntry* range, ValueWriter::Write write) {
  const WriteBound write_bound = bound_writer(getBaseType(range->rngelemtype->type_id));
  if (write_bound == nullptr) return make_output_writer(type);
  RangeWriter* writer = allocate_writer<RangeWriter>(type, write);
  writer->range = range;
  writer->write_bound = write_bound;
  return writer;
}

}  // namespace

ValueWriter* make_range_writer(Oid type) {
  return make_writer(type, lookup_type_cache(type, TYPECACHE_RANGE_INFO), write_range);
}

ValueWriter* make_multirange_writer(Oid type) {
  const TypeCacheEntry* entry = lookup_type_cache(type, TYPECACHE_MULTIRANGE_INFO);
  return make_writer(type, entry->rngtype, write_multirange);
}

}  // namespace hydra::record
