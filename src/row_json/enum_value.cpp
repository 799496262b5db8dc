// Enums, with a cache of labels.
#include "json/escape.hpp"
#include "row_json/writers.hpp"

namespace hydra::row_json {
namespace {

struct Label {
  Oid oid;
  uint32 size;
  char text[json::max_escaped_size(NAMEDATALEN * 4)];  // as JSON, in UTF-8
};

// Labels in the order of their OIDs, each looked up once.
struct EnumWriter : ValueWriter {
  Label** labels;
  int count;
  int room;
};

Label* look_up(EnumWriter* writer, Oid oid) {
  HeapTuple tuple = SearchSysCache1(ENUMOID, ObjectIdGetDatum(oid));
  if (!HeapTupleIsValid(tuple)) {
    ereport(ERROR, (errcode(ERRCODE_INVALID_BINARY_REPRESENTATION),
                    errmsg("invalid internal value for enum: %u", oid)));
  }
  const char* name = NameStr(reinterpret_cast<Form_pg_enum>(GETSTRUCT(tuple))->enumlabel);
  const char* utf8 = pg_server_to_any(name, static_cast<int>(std::strlen(name)), PG_UTF8);
  Label* label = static_cast<Label*>(MemoryContextAlloc(writer->context, sizeof(Label)));
  label->oid = oid;
  label->size = static_cast<uint32>(json::escape_string(label->text, utf8, std::strlen(utf8)));
  ReleaseSysCache(tuple);
  return label;
}

void insert(EnumWriter* writer, int place, Label* label) {
  if (writer->count == writer->room) {
    writer->room *= 2;
    writer->labels = static_cast<Label**>(
        repalloc(writer->labels, static_cast<std::size_t>(writer->room) * sizeof(Label*)));
  }
  Label** at = writer->labels + place;
  std::memmove(at + 1, at, static_cast<std::size_t>(writer->count - place) * sizeof(Label*));
  *at = label;
  ++writer->count;
}

char* write_enum(Line& line, char* to, ValueWriter* base, Datum value) {
  EnumWriter* writer = static_cast<EnumWriter*>(base);
  const Oid oid = DatumGetObjectId(value);
  Label** end = writer->labels + writer->count;
  Label** found = std::lower_bound(
      writer->labels, end, oid, [](const Label* label, Oid wanted) { return label->oid < wanted; });
  if (found == end || (*found)->oid != oid) {
    const int place = static_cast<int>(found - writer->labels);
    insert(writer, place, look_up(writer, oid));
    found = writer->labels + place;
  }
  return line.append(to, (*found)->text, (*found)->size);
}

}  // namespace

ValueWriter* make_enum_writer(Oid type) {
  EnumWriter* writer = allocate_writer<EnumWriter>(type, write_enum);
  writer->takes_any_place = true;
  writer->room = 16;
  writer->labels = static_cast<Label**>(palloc(16 * sizeof(Label*)));
  return writer;
}

}  // namespace hydra::row_json
