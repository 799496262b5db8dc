// One datum as JSON, as the server's own row_to_json() writes it.
#pragma once

#include "record/line.hpp"

namespace hydra::record {

// How values of one type are written, chosen once. Lives in a memory context, holds no C++ object,
// and is used in raw code only (pg/error.hpp).
//
// The rules are those of json.c: by the type's category, or by its cast to json, or by its output
// function as a string. Beyond them, whitespace outside strings in values of type json is left
// out, since a line must not break.
struct ValueWriter {
  enum class Form : unsigned char {
    boolean,
    int2,
    int4,
    int8,
    number,  // as the output function prints it; a string where that is no JSON number (NaN)
    text,    // varlena text without any output function
    string,  // as the output function prints it
    date,    // the next three by JsonEncodeDateTime()
    timestamp,
    timestamptz,
    json,
    jsonb,
    cast,  // through a function that makes json of it
    array,
    composite,
  };

  Form form;
  Oid type;
  FmgrInfo function;      // output function, or the cast
  MemoryContext context;  // where the parts below are made

  // array: how elements are written
  ValueWriter* element;
  int16 element_length;
  bool element_by_value;
  char element_alignment;

  // composite: the row type last met, and how its columns are written
  TupleDesc descriptor;
  ValueWriter** attributes;
};

// All raw. The writer is made in the current memory context.
ValueWriter* make_value_writer(Oid type);
void write_value(Line& line, ValueWriter* writer, Datum value);

}  // namespace hydra::record
