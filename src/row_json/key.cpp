#include "row_json/key.hpp"

#include "pg/spi.hpp"
#include "pg/untrusted_code.hpp"

namespace hydra::row_json {
namespace {

// Values of these types have a fixed form, in which '-' is not a separator.
bucket::IdForm form_of(Oid type) {
  switch (type) {
    case INT2OID:
    case INT4OID:
    case INT8OID:
    case OIDOID:
    case FLOAT4OID:
    case FLOAT8OID:
    case NUMERICOID:
    case UUIDOID:
    case DATEOID:
    case TIMEOID:
    case TIMETZOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID:
      return bucket::IdForm::plain;
    default:
      return bucket::IdForm::text;
  }
}

// Raw. Checks the functions that compare values of a type, including types inside it.
void check_order(Oid type) {
  check_stack_depth();
  type = getBaseType(type);
  const TypeCacheEntry* entry = lookup_type_cache(type, TYPECACHE_LT_OPR | TYPECACHE_CMP_PROC);
  if (OidIsValid(entry->lt_opr)) pg::check_author(get_opcode(entry->lt_opr));
  if (OidIsValid(entry->cmp_proc)) pg::check_author(entry->cmp_proc);
  if (OidIsValid(get_element_type(type))) check_order(get_element_type(type));
  if (OidIsValid(get_range_subtype(type))) check_order(get_range_subtype(type));
  if (OidIsValid(get_multirange_range(type))) check_order(get_multirange_range(type));
  if (!type_is_rowtype(type) || type == RECORDOID) return;
  TupleDesc row = lookup_rowtype_tupdesc_copy(type, -1);
  for (int i = 0; i < row->natts; ++i) {
    if (!TupleDescAttr(row, i)->attisdropped) check_order(TupleDescAttr(row, i)->atttypid);
  }
}

// Raw.
void prepare_order(SortSupportData* order, Oid type, Oid collation, const char* name) {
  const TypeCacheEntry* entry = lookup_type_cache(type, TYPECACHE_LT_OPR);
  if (!OidIsValid(entry->lt_opr)) {
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
                    errmsg("key column \"%s\" has a type without an order: %s", name,
                           format_type_be(type))));
  }
  order->ssup_cxt = CurrentMemoryContext;
  order->ssup_collation = collation;
  order->ssup_nulls_first = false;
  order->abbreviate = false;
  PrepareSortSupportFromOrderingOp(entry->lt_opr, order);
}

// Raw. JSON does not show an array's lower bounds: two keys that differ only in these would be the
// same for readers.
void check_bounds(Datum value, const char* name) {
  const auto* array = DatumGetAnyArrayP(value);
  for (int i = 0; i < AARR_NDIM(array); ++i) {
    if (AARR_LBOUND(array)[i] == 1) continue;
    ereport(ERROR,
            (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
             errmsg("key column \"%s\" contains an array whose subscripts do not start at 1", name),
             errhint("Change the value, or choose other key_columns with "
                     "hydra_export.alter_model().")));
  }
}

// Raw. Some encodings have two codes for one character of UTF-8, which readers could not
// distinguish. The conversion back returns one of them; the other is refused.
void check_characters(const char* text, const char* name) {
  const int length = static_cast<int>(std::strlen(text));
  const char* utf8 = pg_server_to_any(text, length, PG_UTF8);
  const char* back = pg_any_to_server(utf8, static_cast<int>(std::strlen(utf8)), PG_UTF8);
  if (std::strcmp(text, back) == 0) return;
  ereport(
      ERROR,
      (errcode(ERRCODE_UNTRANSLATABLE_CHARACTER),
       errmsg(
           "key column \"%s\" contains a character with several codes in the database's encoding",
           name),
       errdetail("Encoding %s has several codes for the character, but UTF-8 has only one.",
                 GetDatabaseEncodingName()),
       errhint("Change the value, or choose other key_columns with "
               "hydra_export.alter_model().")));
}

bool has_double_codes() {
  return GetDatabaseEncoding() != PG_UTF8 && pg_database_encoding_max_length() > 1;
}

}  // namespace

Key::Key(const std::vector<KeyColumn>& columns)
    : parts_(columns.size()), double_codes_(has_double_codes()) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Part& part = parts_[i];
    part.name = columns[i].name;
    part.place = columns[i].place;
    const Oid declared = columns[i].type;
    pg::call([&]() noexcept {
      part.type = getBaseType(declared);
      part.form = form_of(part.type);
      part.is_array = OidIsValid(get_element_type(part.type));
      get_typlenbyval(part.type, &part.length, &part.by_value);
      Oid function = InvalidOid;
      bool varlena = false;
      getTypeOutputInfo(part.type, &function, &varlena);
      fmgr_info(function, &part.output);
    });
  }
  check_authors();
  for (std::size_t i = 0; i < columns.size(); ++i) {
    Part& part = parts_[i];
    const Oid collation = columns[i].collation;
    pg::call([&]() noexcept {
      std::memset(&part.order, 0, sizeof(part.order));
      prepare_order(&part.order, part.type, collation, part.name.c_str());
    });
  }
}

void Key::check_authors() const {
  for (const Part& part : parts_) {
    const Oid type = part.type;
    const Oid output = part.output.fn_oid;
    pg::call([=]() noexcept {
      check_order(type);
      pg::check_author(output);
    });
  }
}

void Key::copy(const Datum* values, const bool* nulls, Datum* to) const {
  for (const Part& part : parts_) {
    if (nulls[part.place]) {
      ereport(ERROR, (errcode(ERRCODE_NOT_NULL_VIOLATION),
                      errmsg("key column \"%s\" is null", part.name.c_str()),
                      errhint("Choose other key_columns with hydra_export.alter_model().")));
    }
    Datum value = values[part.place];
    if (part.is_array) check_bounds(value, part.name.c_str());
    if (double_codes_ && part.form == bucket::IdForm::text) {
      check_characters(OutputFunctionCall(const_cast<FmgrInfo*>(&part.output), value),
                       part.name.c_str());
    }
    // An object may outlive the row's storage: keep the value itself.
    if (part.length == -1) value = PointerGetDatum(PG_DETOAST_DATUM_PACKED(value));
    *to++ = datumCopy(value, part.by_value, part.length);
  }
}

int Key::compare(const Datum* a, const Datum* b) const {
  for (const Part& part : parts_) {
    const int order =
        ApplySortComparator(*a++, false, *b++, false, const_cast<SortSupportData*>(&part.order));
    if (order != 0) return order;
  }
  return 0;
}

std::string Key::id(const Datum* key) const {
  std::vector<std::string> encoded;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    const char* text = pg::call(
        [&]() noexcept { return OutputFunctionCall(const_cast<FmgrInfo*>(&part.output), key[i]); });
    encoded.push_back(bucket::encode_id_part(pg::to_utf8(text), part.form));
  }
  return bucket::join_id(encoded);
}

void Key::describe(const Datum* values, const bool* nulls, char* to, std::size_t room) const {
  std::size_t used = 0;
  to[0] = '\0';
  for (const Part& part : parts_) {
    const char* text = nulls[part.place] ? "NULL"
                                         : OutputFunctionCall(const_cast<FmgrInfo*>(&part.output),
                                                              values[part.place]);
    const int length = pg_mbcliplen(text, static_cast<int>(std::strlen(text)), 100);
    const int written =
        snprintf(to + used, room - used, "%s%.*s", used > 0 ? ", " : "", length, text);
    if (written < 0 || static_cast<std::size_t>(written) >= room - used) {
      to[used] = '\0';
      return;
    }
    used += static_cast<std::size_t>(written);
  }
}

}  // namespace hydra::row_json
