// Arrays, read in place.
//
// After the varlena header: the number of dimensions, the offset of the elements (0: right after
// the dimensions, and there are no nulls), the element type, the size of each dimension, its lower
// bound, then a bitmap of the elements that are not null. Offsets are counted as if the header had
// four bytes, even if a short one was stored.
#include "row_json/varlena.hpp"
#include "row_json/writers.hpp"

namespace hydra::row_json {
namespace {

struct ArrayWriter : ValueWriter {
  ValueWriter* element;
  Oid element_type;  // as stored in the array: it may be a domain
  int16 element_length;
  bool element_by_value;
  char element_alignment;
};

// The element type is taken from the array: for anyarray and record[] only a value has it.
void prepare_element(ArrayWriter* writer, Oid type) {
  if (writer->element_type == type) return;
  MemoryContext previous = MemoryContextSwitchTo(writer->context);
  get_typlenbyvalalign(type, &writer->element_length, &writer->element_by_value,
                       &writer->element_alignment);
  writer->element = make_value_writer(type);
  writer->element_type = type;
  MemoryContextSwitchTo(previous);
}

int32 word_at(const char* at) {
  int32 word;
  std::memcpy(&word, at, sizeof(word));
  return word;
}

// The elements of one array while it is being written.
class Elements {
 public:
  // base: the position at which a header of four bytes would begin.
  Elements(const char* base, const ArrayWriter* writer) : base_(base), writer_(writer) {
    const int dimensions = word_at(base + offsetof(ArrayType, ndim));
    const int32 start = word_at(base + offsetof(ArrayType, dataoffset));
    sizes_ = base + sizeof(ArrayType);
    const std::size_t words = sizeof(int32) * 2 * static_cast<std::size_t>(dimensions);
    if (start != 0) nulls_ = reinterpret_cast<const uint8*>(sizes_ + words);
    place_ = start != 0 ? static_cast<std::size_t>(start) : MAXALIGN(sizeof(ArrayType) + words);
  }

  int32 size_of(int dimension) const {
    return word_at(sizes_ + sizeof(int32) * static_cast<std::size_t>(dimension));
  }

  bool next_is_null() {
    const int number = number_++;
    return nulls_ != nullptr && (nulls_[number / 8] & (1 << (number % 8))) == 0;
  }

  Datum next() {
    align();
    const char* at = base_ + place_;
    if (writer_->element_length > 0) {
      place_ += static_cast<std::size_t>(writer_->element_length);
      return writer_->element_by_value ? load(at) : PointerGetDatum(at);
    }
    if (writer_->element_length == -1) {
      place_ += size_at(at);
    } else {
      place_ += std::strlen(at) + 1;
    }
    return PointerGetDatum(at);
  }

 private:
  void align() { place_ = att_align_nominal(place_, writer_->element_alignment); }

  Datum load(const char* at) const {
    switch (writer_->element_length) {
      case 1:
        return CharGetDatum(*at);
      case 2: {
        int16 value;
        std::memcpy(&value, at, sizeof(value));
        return Int16GetDatum(value);
      }
      case 4:
        return Int32GetDatum(word_at(at));
      default: {
        Datum value;
        std::memcpy(&value, at, sizeof(value));
        return value;
      }
    }
  }

  static std::size_t size_at(const char* at) {
    if (VARATT_IS_4B_U(at)) {
      const int32 header = word_at(at);
      return VARSIZE(&header);
    }
    return VARSIZE_ANY(at);
  }

  const char* base_;
  const ArrayWriter* writer_;
  const char* sizes_;
  const uint8* nulls_ = nullptr;
  std::size_t place_;
  int number_ = 0;
};

// Writes the elements of the innermost brackets, of a type with short values: room is requested for
// many of them at once.
char* write_short_elements(Line& line, char* to, const ValueWriter* element, Elements& elements,
                           int32 size) {
  constexpr int32 batch = 64;
  const std::size_t room = std::max<std::size_t>(element->room, 4) + 1;
  for (int32 done = 0; done < size;) {
    const int32 stop = std::min(size, done + batch);
    to = line.room(to, room * batch);
    for (; done < stop; ++done) {
      if (done > 0) *to++ = ',';
      if (elements.next_is_null()) {
        std::memcpy(to, "null", 4);
        to += 4;
      } else {
        to = element->put(to, elements.next());
      }
    }
  }
  return to;
}

char* write_elements(Line& line, char* to, ValueWriter* element, Elements& elements, int32 size) {
  for (int32 i = 0; i < size; ++i) {
    if (i > 0) to = line.put(to, ',');
    if (elements.next_is_null()) {
      to = line.append_null(to);
    } else {
      to = element->write(line, to, element, elements.next());
    }
  }
  return to;
}

char* write_dimension(Line& line, char* to, ValueWriter* element, Elements& elements, int dimension,
                      int dimensions) {
  const int32 size = elements.size_of(dimension);
  to = line.put(to, '[');
  if (dimension + 1 < dimensions) {
    for (int32 i = 0; i < size; ++i) {
      if (i > 0) to = line.put(to, ',');
      to = write_dimension(line, to, element, elements, dimension + 1, dimensions);
    }
  } else if (element->put != nullptr) {
    to = write_short_elements(line, to, element, elements, size);
  } else {
    to = write_elements(line, to, element, elements, size);
  }
  return line.put(to, ']');
}

bool is_empty(const char* base, int dimensions) {
  for (int i = 0; i < dimensions; ++i) {
    if (word_at(base + sizeof(ArrayType) + sizeof(int32) * static_cast<std::size_t>(i)) <= 0)
      return true;
  }
  return dimensions == 0;
}

char* write_stored(Line& line, char* to, ArrayWriter* writer, const char* base) {
  const int dimensions = word_at(base + offsetof(ArrayType, ndim));
  if (is_empty(base, dimensions)) return line.append(to, "[]", 2);
  Elements elements(base, writer);
  return write_dimension(line, to, writer->element, elements, 0, dimensions);
}

char* write_array(Line& line, char* to, ValueWriter* base, Datum value) {
  check_stack_depth();
  ArrayWriter* writer = static_cast<ArrayWriter*>(base);
  const Varlena stored = Varlena::open(value);
  const char* start = stored.data - VARHDRSZ;
  prepare_element(writer, static_cast<Oid>(word_at(start + offsetof(ArrayType, elemtype))));
  const bool is_aligned = MAXALIGN(start) == reinterpret_cast<uintptr_t>(start);
  if (is_aligned || writer->element_by_value || writer->element->takes_any_place) {
    to = write_stored(line, to, writer, start);
  } else {
    // Functions of the server expect aligned values.
    char* copy = static_cast<char*>(palloc(stored.size + VARHDRSZ));
    std::memcpy(copy + VARHDRSZ, stored.data, stored.size);
    to = write_stored(line, to, writer, copy);
    pfree(copy);
  }
  stored.close();
  return to;
}

}  // namespace

ValueWriter* make_array_writer(Oid type) {
  return allocate_writer<ArrayWriter>(type, write_array);
}

}  // namespace hydra::row_json
