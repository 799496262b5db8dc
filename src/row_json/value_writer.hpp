// One datum as JSON, as the server's own row_to_json() writes it.
#pragma once

#include "row_json/line.hpp"

namespace hydra::row_json {

// How values of one type are written, chosen once. Lives in a memory context, holds no C++ object,
// and is used in raw code only (pg/error.hpp).
//
// The rules are those of json.c: by the type's category, or by its cast to json, or by its output
// function as a string. Beyond them, whitespace outside strings in values of type json is left
// out, since a line must not break.
//
// Values of a few bytes are written by `put`, straight to where they belong; all others by `write`.
// Structs that are derived from this one hold what a kind of type needs.
struct ValueWriter {
  // Both return the end.
  using Put = char* (*)(char* to, Datum value);
  using Write = char* (*)(Line& line, char* to, ValueWriter* writer, Datum value);

  Put put;           // nullptr where there is no bound
  std::size_t room;  // that put() needs
  Write write;       // used where put is nullptr
  Oid type;          // below domains
  // Reads values by their bytes, at any alignment and with a short header, so that those inside an
  // array need not be copied.
  bool takes_any_place;
  MemoryContext context;  // where everything of the writer is made
};

// All raw. The writer is made in the current memory context.
ValueWriter* make_value_writer(Oid type);

// What stands before a member's value: ,"name": with the comma or brace that it needs. Made
// once, padded to whole blocks.
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

// The lead, and the value or null.
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
