#include "record/key.hpp"

#include "pg/spi.hpp"

namespace hydra::record {
namespace {

// Values of these types have a fixed form, in which '-' separates nothing.
IdForm form_of(Oid type) {
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
      return IdForm::plain;
    default:
      return IdForm::text;
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

}  // namespace

Key::Key(const std::vector<KeyColumn>& columns) : parts_(columns.size()) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    const KeyColumn& column = columns[i];
    Part& part = parts_[i];
    part.name = column.name;
    part.place = column.place;
    pg::call([&]() noexcept {
      const Oid type = getBaseType(column.type);
      part.form = form_of(type);
      std::memset(&part.order, 0, sizeof(part.order));
      prepare_order(&part.order, type, column.collation, part.name.c_str());
      get_typlenbyval(type, &part.length, &part.by_value);
      Oid function = InvalidOid;
      bool varlena = false;
      getTypeOutputInfo(type, &function, &varlena);
      fmgr_info(function, &part.output);
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
    encoded.push_back(encode_id_part(pg::to_utf8(text), part.form));
  }
  return join_id(encoded);
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

}  // namespace hydra::record
