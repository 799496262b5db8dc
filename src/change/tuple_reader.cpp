#include "change/tuple_reader.hpp"

namespace hydra::change {
namespace {

std::uint8_t bytes_of(char alignment) {
  switch (alignment) {
    case TYPALIGN_CHAR:
      return 1;
    case TYPALIGN_SHORT:
      return ALIGNOF_SHORT;
    case TYPALIGN_INT:
      return ALIGNOF_INT;
    default:
      return ALIGNOF_DOUBLE;
  }
}

const char* align(const char* at, std::size_t alignment) {
  return reinterpret_cast<const char*>(TYPEALIGN(alignment, at));
}

}  // namespace

TupleReader::TupleReader(TupleDesc descriptor, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i)
    columns_.push_back(column_of(TupleDescAttr(descriptor, static_cast<int>(i))));
}

TupleReader::Column TupleReader::column_of(Form_pg_attribute attribute) {
  Column column{Kind::reference, bytes_of(attribute->attalign), attribute->attlen};
  if (column.length == -1) column.kind = Kind::varlena;
  if (column.length == -2) column.kind = Kind::text;
  if (!attribute->attbyval) return column;
  switch (column.length) {
    case 1:
      column.kind = Kind::bytes1;
      break;
    case 2:
      column.kind = Kind::bytes2;
      break;
    case 4:
      column.kind = Kind::bytes4;
      break;
    default:
      column.kind = Kind::bytes8;
  }
  return column;
}

// Returns the end of the value.
inline const char* TupleReader::read_value(const Column& column, const char* at, Datum* value) {
  // A short varlena is not aligned, and padding before another value is zero.
  if (column.kind != Kind::varlena || *at == '\0') at = align(at, column.alignment);
  switch (column.kind) {
    case Kind::bytes1:
      *value = CharGetDatum(*at);
      return at + 1;
    case Kind::bytes2:
      *value = Int16GetDatum(*reinterpret_cast<const int16*>(at));
      return at + 2;
    case Kind::bytes4:
      *value = Int32GetDatum(*reinterpret_cast<const int32*>(at));
      return at + 4;
    case Kind::bytes8:
      *value = *reinterpret_cast<const Datum*>(at);
      return at + 8;
    case Kind::reference:
      *value = PointerGetDatum(at);
      return at + column.length;
    case Kind::varlena:
      *value = PointerGetDatum(at);
      return at + VARSIZE_ANY(at);
    default:
      *value = PointerGetDatum(at);
      return at + std::strlen(at) + 1;
  }
}

bool TupleReader::read(HeapTupleHeader tuple, Datum* values, bool* nulls) const {
  if (HeapTupleHeaderGetNatts(tuple) < columns_.size()) return false;
  const char* at = reinterpret_cast<const char*>(tuple) + tuple->t_hoff;
  const bool has_nulls = (tuple->t_infomask & HEAP_HASNULL) != 0;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    nulls[i] = has_nulls && att_isnull(static_cast<int>(i), tuple->t_bits);
    if (nulls[i]) {
      values[i] = 0;
    } else {
      at = read_value(columns_[i], at, &values[i]);
    }
  }
  return true;
}

}  // namespace hydra::change
