#include "row_json/value_writer.hpp"

#include "json/escape.hpp"
#include "row_json/writers.hpp"

namespace hydra::row_json {
namespace {

// The cast of a type to json, looked up as in json.c; none for built-in types.
Oid cast_to_json(Oid type) {
  if (type < FirstNormalObjectId) return InvalidOid;
  Oid function = InvalidOid;
  const CoercionPathType path = find_coercion_pathway(JSONOID, type, COERCION_EXPLICIT, &function);
  return path == COERCION_PATH_FUNC ? function : InvalidOid;
}

bool is_array(Oid type) {
  return OidIsValid(get_element_type(type)) || type == ANYARRAYOID || type == RECORDARRAYOID;
}

// Types in the last category of json.c: written as a string, unless there is a cast.
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

MemberLead make_member_lead(const char* before, const char* name, std::size_t n,
                            const char* after) {
  const char* utf8 = pg_server_to_any(name, static_cast<int>(n), PG_UTF8);
  const std::size_t length = utf8 == name ? n : std::strlen(utf8);
  const std::size_t outside = std::strlen(before) + std::strlen(after);
  char* text =
      static_cast<char*>(palloc0(json::max_escaped_size(length) + outside + MemberLead::block));
  char* to = stpcpy(text, before);
  to += json::escape_string(to, utf8, length);
  to = stpcpy(to, after);
  return {text, static_cast<std::size_t>(to - text)};
}

MemberLead make_member_lead(const char* before, const char* name) {
  return make_member_lead(before, name, std::strlen(name), ":");
}

}  // namespace hydra::row_json
