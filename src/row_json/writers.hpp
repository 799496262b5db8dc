// The writers of each kind of type, for make_value_writer(). All are raw, and made in the current
// memory context.
#pragma once

#include "row_json/value_writer.hpp"

namespace hydra::row_json {

// Allocates a writer and sets the common members; the struct may be derived from ValueWriter.
template <typename Writer>
Writer* allocate_writer(Oid type, ValueWriter::Write write) {
  auto* writer = static_cast<Writer*>(palloc0(sizeof(Writer)));
  writer->write = write;
  writer->type = type;
  writer->context = CurrentMemoryContext;
  return writer;
}

// nullptr where the type is none of theirs.
ValueWriter* make_bounded_writer(Oid type);  // bounded_values.cpp
ValueWriter* make_text_writer(Oid type);     // text_values.cpp

ValueWriter* make_numeric_writer(Oid type);
ValueWriter* make_jsonb_writer(Oid type);
ValueWriter* make_enum_writer(Oid type);
ValueWriter* make_array_writer(Oid type);
ValueWriter* make_composite_writer(Oid type);
ValueWriter* make_range_writer(Oid type);
ValueWriter* make_multirange_writer(Oid type);

// Uses a function that converts the type to json.
ValueWriter* make_cast_writer(Oid type, Oid function);

// For any type: writes the text of its output function as a string.
ValueWriter* make_output_writer(Oid type);

// Writes a numeric as a JSON number, or as a string if it is not finite. bytes: without the header.
char* write_numeric(Line& line, char* to, const char* bytes, std::size_t n);

}  // namespace hydra::row_json
