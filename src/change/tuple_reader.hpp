// Heap tuples as arrays of values.
#pragma once

#include <vector>

#include "pg/postgres.hpp"

namespace hydra::change {

// Does what slot_getsomeattrs() does, but looks up the properties of each column only once. Values
// point into the tuple.
class TupleReader {
 public:
  // count: how many columns are read, starting with the table's first.
  TupleReader(TupleDesc descriptor, std::size_t count);

  // False if the tuple has fewer columns, because it is older than the last of them. Raw.
  bool read(HeapTupleHeader tuple, Datum* values, bool* nulls) const;

 private:
  enum class Kind : std::uint8_t { bytes1, bytes2, bytes4, bytes8, reference, varlena, text };
  struct Column {
    Kind kind;
    std::uint8_t alignment;
    std::int16_t length;
  };
  static Column column_of(Form_pg_attribute attribute);
  static const char* read_value(const Column& column, const char* at, Datum* value);

  std::vector<Column> columns_;
};

}  // namespace hydra::change
