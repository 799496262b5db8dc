// jsonb, read from its bytes.
//
// A container is a 32-bit header (the number of its children, and its kind), then an entry of 32
// bits for each child, then the children. An object has its keys first, then their values in the
// same order. An entry has the child's type and either its length or, at regular intervals, its
// end; numbers and containers are aligned to four bytes. Nothing is copied or allocated, and values
// with a short header are read in place: all reads are by bytes.
#include "row_json/varlena.hpp"
#include "row_json/writers.hpp"

namespace hydra::row_json {
namespace {

uint32 word_at(const char* at) {
  uint32 word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// Iterates over some children of a container.
class Children {
 public:
  // first: the number of the first one. entries: the container's; count: of all its entries.
  Children(const char* entries, uint32 count, uint32 first)
      : Children(entries, count, first, offset_of(entries, first)) {}

  // offset: of the first one.
  Children(const char* entries, uint32 count, uint32 first, uint32 offset)
      : entry_(entries + first * sizeof(JEntry)),
        data_(entries + count * sizeof(JEntry)),
        offset_(offset) {}

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
  // The offset of a child: the sum of the lengths before it, back to one whose end is known.
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

// Most objects of one column have the same keys: caches the keys of the last object, as stored and
// as written. Not used for a column whose objects keep having other keys.
class Keys {
 public:
  // Raw. Allocated in the current memory context.
  static Keys* make() {
    auto* keys = static_cast<Keys*>(palloc0(sizeof(Keys)));
    keys->context_ =
        AllocSetContextCreate(CurrentMemoryContext, "hydra_export keys", ALLOCSET_SMALL_SIZES);
    return keys;
  }

  // Whether these are the keys of the object with these entries. If not, stores those keys, as long
  // as that seems worthwhile. Raw.
  bool know(const char* entries, uint32 count) {
    if (matches(entries, count)) {
      misses_ = 0;
      return true;
    }
    if (count == 0 || count > most || misses_ == patience) return false;
    ++misses_;
    learn(entries, count);
    return true;
  }

  // The size of all stored keys.
  uint32 size() const { return size_; }

  // Key i with the text before and after it.
  const MemberLead& lead(uint32 i) const { return leads_[i]; }

 private:
  static constexpr uint32 most = 64;
  static constexpr int patience = 16;

  bool matches(const char* entries, uint32 count) const {
    return count == count_ && count > 0 &&
           std::memcmp(entries, entries_, count * sizeof(JEntry)) == 0 &&
           std::memcmp(entries + 2 * count * sizeof(JEntry), bytes_, size_) == 0;
  }
  void learn(const char* entries, uint32 count);

  MemoryContext context_;
  uint32 count_;
  uint32 size_;
  char* entries_;
  char* bytes_;
  MemberLead* leads_;
  int misses_;  // consecutive
};

char* copy(const char* from, std::size_t n) {
  return static_cast<char*>(std::memcpy(palloc(n + 1), from, n));
}

void Keys::learn(const char* entries, uint32 count) {
  count_ = 0;
  MemoryContextReset(context_);
  MemoryContext previous = MemoryContextSwitchTo(context_);
  Children keys(entries, 2 * count, 0);
  size_ = 0;
  leads_ = static_cast<MemberLead*>(palloc(count * sizeof(MemberLead)));
  for (uint32 i = 0; i < count; ++i) {
    const Children::Child key = keys.next();
    leads_[i] = make_member_lead(i == 0 ? "{" : ", ", key.data, key.size, ": ");
    size_ += key.size;
  }
  entries_ = copy(entries, count * sizeof(JEntry));
  bytes_ = copy(entries + 2 * count * sizeof(JEntry), size_);
  count_ = count;
  MemoryContextSwitchTo(previous);
}

char* write_container(Line& line, char* to, const char* container);

char* write_child(Line& line, char* to, const Children::Child& child) {
  switch (child.entry & JENTRY_TYPEMASK) {
    case JENTRY_ISSTRING:
      return line.append_string(to, child.data, child.size);
    case JENTRY_ISNUMERIC: {
      const Varlena number = Varlena::open(PointerGetDatum(child.data));
      return write_numeric(line, to, number.data, number.size);
    }
    case JENTRY_ISBOOL_TRUE:
      return line.append(to, "true", 4);
    case JENTRY_ISBOOL_FALSE:
      return line.append(to, "false", 5);
    case JENTRY_ISCONTAINER:
      check_stack_depth();
      return write_container(line, to, child.data);
    default:
      return line.append_null(to);
  }
}

// Writes the separator, the key and the colon.
char* write_key(Line& line, char* to, const Children::Child& key, bool is_first) {
  to = line.room(to, 2);
  std::memcpy(to, is_first ? "{" : ", ", 2);
  to = line.append_string(to + (is_first ? 1 : 2), key.data, key.size);
  return line.append(to, ": ", 2);
}

char* write_object(Line& line, char* to, const char* entries, uint32 count) {
  Children keys(entries, 2 * count, 0);
  Children values(entries, 2 * count, count);
  if (count == 0) to = line.put(to, '{');
  for (uint32 i = 0; i < count; ++i) {
    to = write_key(line, to, keys.next(), i == 0);
    to = write_child(line, to, values.next());
  }
  return line.put(to, '}');
}

char* write_known_object(Line& line, char* to, const char* entries, uint32 count,
                         const Keys* keys) {
  Children values(entries, 2 * count, count, keys->size());
  for (uint32 i = 0; i < count; ++i) {
    const MemberLead& lead = keys->lead(i);
    to = lead.put(line.room(to, lead.room()));
    to = write_child(line, to, values.next());
  }
  return line.put(to, '}');
}

char* write_elements(Line& line, char* to, const char* entries, uint32 count) {
  Children elements(entries, count, 0);
  to = line.put(to, '[');
  for (uint32 i = 0; i < count; ++i) {
    if (i > 0) to = line.append(to, ", ", 2);
    to = write_child(line, to, elements.next());
  }
  return line.put(to, ']');
}

char* write_container(Line& line, char* to, const char* container) {
  const uint32 head = word_at(container);
  const char* entries = container + sizeof(head);
  const uint32 count = head & JB_CMASK;
  if ((head & JB_FOBJECT) != 0) {
    return write_object(line, to, entries, count);
  }
  if ((head & JB_FSCALAR) != 0) return write_child(line, to, Children(entries, count, 0).next());
  return write_elements(line, to, entries, count);
}

struct JsonbWriter : ValueWriter {
  Keys* keys;
};

char* write_jsonb(Line& line, char* to, ValueWriter* writer, Datum value) {
  const Varlena stored = Varlena::open(value);
  const uint32 head = word_at(stored.data);
  const char* entries = stored.data + sizeof(head);
  Keys* keys = static_cast<JsonbWriter*>(writer)->keys;
  if ((head & JB_FOBJECT) != 0 && keys->know(entries, head & JB_CMASK)) {
    to = write_known_object(line, to, entries, head & JB_CMASK, keys);
  } else {
    to = write_container(line, to, stored.data);
  }
  stored.close();
  return to;
}

}  // namespace

ValueWriter* make_jsonb_writer(Oid type) {
  JsonbWriter* writer = allocate_writer<JsonbWriter>(type, write_jsonb);
  writer->keys = Keys::make();
  writer->takes_any_place = true;
  return writer;
}

}  // namespace hydra::row_json
