// numeric, written from its digits.
#include "json/numeric.hpp"
#include "row_json/varlena.hpp"
#include "row_json/writers.hpp"

namespace hydra::row_json {
namespace {

char* write_stored(Line& line, char* to, ValueWriter*, Datum value) {
  const Varlena stored = Varlena::open(value);
  to = write_numeric(line, to, stored.data, stored.size);
  stored.close();
  return to;
}

}  // namespace

char* write_numeric(Line& line, char* to, const char* bytes, std::size_t n) {
  const json::Numeric numeric = json::parse_numeric(bytes, n);
  to = line.room(to, json::max_numeric_size(numeric) + 16);
  if (numeric.kind == json::Numeric::Kind::finite) return json::put_numeric(to, numeric);
  *to = '"';
  to = json::put_numeric(to + 1, numeric);
  *to = '"';
  return to + 1;
}

ValueWriter* make_numeric_writer(Oid type) {
  ValueWriter* writer = allocate_writer<ValueWriter>(type, write_stored);
  writer->takes_any_place = true;
  return writer;
}

}  // namespace hydra::row_json
