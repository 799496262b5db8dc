// Writes one datum as JSON, like the server's row_to_json().
#pragma once

#include "row_json/line.hpp"

namespace hydra::row_json {

// How values of one type are written, chosen once. It lives in a memory context, contains no C++
// object, and is used in raw code only (pg/error.hpp).
//
// The rules are those of json.c: by the type's category, by its cast to json, or by its output
// function as a string. In addition, whitespace outside strings is removed from values of type
// json, because a line must not contain line breaks.
//
// Values of bounded size are written by `put`, directly to their place; all others by `write`.
// Structs derived from this one add what a kind of type needs.
struct ValueWriter {
  // Both return the end of their output.
  using Put = char* (*)(char* to, Datum value);
  using Write = char* (*)(Line& line, char* to, ValueWriter* writer, Datum value);

  Put put;           // nullptr if the size has no bound
  std::size_t room;  // that put() needs
  Write write;       // used if put is nullptr
  Oid type;          // the base type of a domain
  // Reads values at any alignment and with a short header, so that those inside an array need not
  // be copied.
  bool takes_any_place;
  MemoryContext context;  // contains everything that belongs to the writer
};

// All raw. The writer is made in the current memory context.
ValueWriter* make_value_writer(Oid type);

// The text before a member's value: ,"name": with the comma or brace before it. Made once, padded
// to whole blocks.
struct MemberLead {
  static constexpr std::size_t block = 16;

  const char* text;
  std::size_t size;

  std::size_t room() const { return size + block; }
  char* put(char* to) const {
    for (std::size_t i = 0; i < size; i += block)
      std::memcpy(to + i, text + i, block);
    return to + size;
  }
};

// Raw. name: n bytes in the database's encoding.
MemberLead make_member_lead(const char* before, const char* name, std::size_t n, const char* after);

// Raw. before: a comma or a brace.
MemberLead make_member_lead(const char* before, const char* name);

// Writes the lead, and the value or null.
inline char* write_member(Line& line, char* to, const MemberLead& lead, ValueWriter* writer,
                          Datum value, bool null) {
  to = lead.put(line.room(to, lead.room() + writer->room));
  if (null) {
    std::memcpy(to, "null", 4);
    return to + 4;
  }
  return writer->put != nullptr ? writer->put(to, value) : writer->write(line, to, writer, value);
}

}  // namespace hydra::row_json
