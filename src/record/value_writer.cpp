#include "record/value_writer.hpp"

#include "json/escape.hpp"
#include "record/writers.hpp"

namespace hydra::record {
namespace {

// A function that makes json of a type, as json.c looks for one; none for built-in types.
Oid cast_to_json(Oid type) {
  if (type < FirstNormalObjectId) return InvalidOid;
  Oid function = InvalidOid;
  const CoercionPathType path = find_coercion_pathway(JSONOID, type, COERCION_EXPLICIT, &function);
  return path == COERCION_PATH_FUNC ? function : InvalidOid;
}

bool is_array(Oid type) {
  return OidIsValid(get_element_type(type)) || type == ANYARRAYOID || type == RECORDARRAYOID;
}

// Types of json.c's last category: a string, unless a cast says otherwise.
ValueWriter* make_other_writer(Oid type) {
  const Oid cast = cast_to_json(type);
  if (OidIsValid(cast)) return make_cast_writer(type, cast);
  switch (get_typtype(type)) {
    case TYPTYPE_ENUM:
      return make_enum_writer(type);
    case TYPTYPE_RANGE:
      return make_range_writer(type);
    case TYPTYPE_MULTIRANGE:
      return make_multirange_writer(type);
    default:
      return make_output_writer(type);
  }
}

}  // namespace

ValueWriter* make_value_writer(Oid type) {
  type = getBaseType(type);
  ValueWriter* writer = make_bounded_writer(type);
  if (writer == nullptr) writer = make_text_writer(type);
  if (writer != nullptr) return writer;
  if (type == NUMERICOID) return make_numeric_writer(type);
  if (type == JSONBOID) return make_jsonb_writer(type);
  if (is_array(type)) return make_array_writer(type);
  if (type_is_rowtype(type)) return make_composite_writer(type);
  return make_other_writer(type);
}

MemberLead make_member_lead(char before, const char* name) {
  const char* utf8 = pg_server_to_any(name, static_cast<int>(std::strlen(name)), PG_UTF8);
  const std::size_t length = std::strlen(utf8);
  char* text = static_cast<char*>(palloc0(json::max_escaped_size(length) + MemberLead::block + 2));
  text[0] = before;
  const std::size_t escaped = json::escape_string(text + 1, utf8, length);
  text[escaped + 1] = ':';
  return {text, escaped + 2};
}

}  // namespace hydra::record
