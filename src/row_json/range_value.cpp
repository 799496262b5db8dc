// Ranges and multiranges of numbers and dates, in the form of range_out(), without a function call
// for each bound. Ranges of other types are written by the server's functions.
#include "json/datetime.hpp"
#include "json/digits.hpp"
#include "json/numeric.hpp"
#include "row_json/varlena.hpp"
#include "row_json/writers.hpp"

namespace hydra::row_json {
namespace {

using WriteBound = char* (*)(Line& line, char* to, Datum value);

struct RangeWriter : ValueWriter {
  TypeCacheEntry* range;
  WriteBound write_bound;
};

char* write_int4(Line& line, char* to, Datum value) {
  return json::put_signed(line.room(to, json::max_integer_size), DatumGetInt32(value));
}

char* write_int8(Line& line, char* to, Datum value) {
  return json::put_signed(line.room(to, json::max_integer_size), DatumGetInt64(value));
}

// In a range, a value that is not finite is not quoted.
char* write_number(Line& line, char* to, Datum value) {
  const Varlena stored = Varlena::open(value);
  const json::Numeric numeric = json::parse_numeric(stored.data, stored.size);
  to = json::put_numeric(line.room(to, json::max_numeric_size(numeric) + 16), numeric);
  stored.close();
  return to;
}

char* write_infinity(Line& line, char* to, bool is_negative) {
  return line.append(to, is_negative ? "-infinity" : "infinity", is_negative ? 9 : 8);
}

// A bound with a space in its text is quoted, and JSON escapes the quotes.
char* write_quoted(Line& line, char* to, const char* text, const char* end) {
  to = line.append(to, "\\\"", 2);
  to = line.append(to, text, static_cast<std::size_t>(end - text));
  return line.append(to, "\\\"", 2);
}

char* write_date(Line& line, char* to, Datum value) {
  const DateADT date = DatumGetDateADT(value);
  if (DATE_NOT_FINITE(date)) {
    return write_infinity(line, to, DATE_IS_NOBEGIN(date));
  }
  char text[json::max_date_size];
  const char* end = json::put_date(text, date);
  if (end[-1] == 'C') return write_quoted(line, to, text, end);  // 0044-03-15 BC
  return line.append(to, text, static_cast<std::size_t>(end - text));
}

char* write_moment(Line& line, char* to, Timestamp value, std::string_view zone) {
  if (TIMESTAMP_NOT_FINITE(value)) {
    return write_infinity(line, to, TIMESTAMP_IS_NOBEGIN(value));
  }
  char text[json::max_timestamp_size];
  return write_quoted(line, to, text, json::put_timestamp(text, value, ' ', zone));
}

char* write_timestamp(Line& line, char* to, Datum value) {
  return write_moment(line, to, DatumGetTimestamp(value), "");
}

char* write_timestamptz(Line& line, char* to, Datum value) {
  return write_moment(line, to, DatumGetTimestampTz(value), "+00");
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

char* write_bounds(Line& line, char* to, const RangeWriter* writer, const RangeBound& lower,
                   const RangeBound& upper) {
  to = line.put(to, lower.inclusive ? '[' : '(');
  if (!lower.infinite) to = writer->write_bound(line, to, lower.val);
  to = line.put(to, ',');
  if (!upper.infinite) to = writer->write_bound(line, to, upper.val);
  return line.put(to, upper.inclusive ? ']' : ')');
}

char* write_range(Line& line, char* to, ValueWriter* base, Datum value) {
  const RangeWriter* writer = static_cast<RangeWriter*>(base);
  RangeType* range = DatumGetRangeTypeP(value);
  RangeBound lower;
  RangeBound upper;
  bool empty = false;
  range_deserialize(writer->range, range, &lower, &upper, &empty);
  to = line.put(to, '"');
  to = empty ? line.append(to, "empty", 5) : write_bounds(line, to, writer, lower, upper);
  to = line.put(to, '"');
  if (static_cast<void*>(range) != DatumGetPointer(value)) pfree(range);
  return to;
}

char* write_multirange(Line& line, char* to, ValueWriter* base, Datum value) {
  const RangeWriter* writer = static_cast<RangeWriter*>(base);
  MultirangeType* ranges = DatumGetMultirangeTypeP(value);
  to = line.append(to, "\"{", 2);
  for (uint32 i = 0; i < ranges->rangeCount; ++i) {
    if (i > 0) to = line.put(to, ',');
    RangeBound lower;
    RangeBound upper;
    multirange_get_bounds(writer->range, ranges, i, &lower, &upper);
    to = write_bounds(line, to, writer, lower, upper);
  }
  to = line.append(to, "}\"", 2);
  if (static_cast<void*>(ranges) != DatumGetPointer(value)) pfree(ranges);
  return to;
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

}  // namespace hydra::row_json
