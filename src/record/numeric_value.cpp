// numeric, from its digits.
#include "json/numeric.hpp"
#include "record/varlena.hpp"
#include "record/writers.hpp"

namespace hydra::record {
namespace {

void write_stored(Line& line, ValueWriter*, Datum value) {
  const Varlena stored = Varlena::open(value);
  write_numeric(line, stored.data, stored.size);
  stored.close();
}

}  // namespace

void write_numeric(Line& line, const char* bytes, std::size_t n) {
  const json::Numeric numeric = json::parse_numeric(bytes, n);
  const bool is_word = numeric.kind != json::Numeric::Kind::finite;
  if (is_word) line.put('"');
  line.advance_to(json::put_numeric(line.room(json::max_numeric_size(numeric) + 16), numeric));
  if (is_word) line.put('"');
}

ValueWriter* make_numeric_writer(Oid type) {
  ValueWriter* writer = allocate_writer<ValueWriter>(type, write_stored);
  writer->takes_any_place = true;
  return writer;
}

}  // namespace hydra::record
