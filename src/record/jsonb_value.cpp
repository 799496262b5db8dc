// jsonb, by walking its bytes.
//
// A container is a 32-bit head (the number of its children, and what it is), then an entry of 32
// bits for each child, then the children. An object has its keys first, then their values in the
// same order. An entry says the child's type and either its length or, every so often, where it
// ends; numbers and containers begin at multiples of four. Nothing is copied or allocated, and
// values with a short header are read in place: all reads are by bytes.
#include "record/varlena.hpp"
#include "record/writers.hpp"

namespace hydra::record {
namespace {

uint32 word_at(const char* at) {
  uint32 word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// Goes through some children of a container, one after another.
class Children {
 public:
  // first: the number of the first one. entries: the container's; count: of all its entries.
  Children(const char* entries, uint32 count, uint32 first)
      : entry_(entries + first * sizeof(JEntry)),
        data_(entries + count * sizeof(JEntry)),
        offset_(offset_of(entries, first)) {}

  struct Child {
    JEntry entry;
    const char* data;
    uint32 size;
  };

  Child next() {
    const JEntry entry = word_at(entry_);
    entry_ += sizeof(JEntry);
    const uint32 start = offset_;
    offset_ = JBE_HAS_OFF(entry) ? JBE_OFFLENFLD(entry) : start + JBE_OFFLENFLD(entry);
    const bool aligned = JBE_ISNUMERIC(entry) || JBE_ISCONTAINER(entry);
    const uint32 at = aligned ? INTALIGN(start) : start;
    return {entry, data_ + at, offset_ - at};
  }

 private:
  // Where a child begins: the lengths before it, back to one whose end is known.
  static uint32 offset_of(const char* entries, uint32 number) {
    uint32 offset = 0;
    while (number > 0) {
      const JEntry entry = word_at(entries + --number * sizeof(JEntry));
      offset += JBE_OFFLENFLD(entry);
      if (JBE_HAS_OFF(entry)) break;
    }
    return offset;
  }

  const char* entry_;
  const char* data_;
  uint32 offset_;
};

void write_container(Line& line, const char* container);

void write_child(Line& line, const Children::Child& child) {
  switch (child.entry & JENTRY_TYPEMASK) {
    case JENTRY_ISSTRING:
      line.append_string(child.data, child.size);
      break;
    case JENTRY_ISNUMERIC: {
      const Varlena number = Varlena::open(PointerGetDatum(child.data));
      write_numeric(line, number.data, number.size);
      break;
    }
    case JENTRY_ISBOOL_TRUE:
      line.append("true", 4);
      break;
    case JENTRY_ISBOOL_FALSE:
      line.append("false", 5);
      break;
    case JENTRY_ISCONTAINER:
      check_stack_depth();
      write_container(line, child.data);
      break;
    default:
      line.append_null();
      break;
  }
}

// The separator, the key and the colon.
void write_key(Line& line, const Children::Child& key, bool is_first) {
  char* to = line.room(2);
  std::memcpy(to, is_first ? "{" : ", ", 2);
  line.advance_to(to + (is_first ? 1 : 2));
  line.append_string(key.data, key.size);
  line.append(": ", 2);
}

void write_object(Line& line, const char* entries, uint32 count) {
  Children keys(entries, 2 * count, 0);
  Children values(entries, 2 * count, count);
  if (count == 0) line.put('{');
  for (uint32 i = 0; i < count; ++i) {
    write_key(line, keys.next(), i == 0);
    write_child(line, values.next());
  }
  line.put('}');
}

void write_elements(Line& line, const char* entries, uint32 count) {
  Children elements(entries, count, 0);
  line.put('[');
  for (uint32 i = 0; i < count; ++i) {
    if (i > 0) line.append(", ", 2);
    write_child(line, elements.next());
  }
  line.put(']');
}

void write_container(Line& line, const char* container) {
  const uint32 head = word_at(container);
  const char* entries = container + sizeof(head);
  const uint32 count = head & JB_CMASK;
  if ((head & JB_FOBJECT) != 0) {
    write_object(line, entries, count);
  } else if ((head & JB_FSCALAR) != 0) {
    write_child(line, Children(entries, count, 0).next());
  } else {
    write_elements(line, entries, count);
  }
}

void write_jsonb(Line& line, ValueWriter*, Datum value) {
  const Varlena stored = Varlena::open(value);
  write_container(line, stored.data);
  stored.close();
}

}  // namespace

ValueWriter* make_jsonb_writer(Oid type) {
  ValueWriter* writer = allocate_writer<ValueWriter>(type, write_jsonb);
  writer->takes_any_place = true;
  return writer;
}

}  // namespace hydra::record
