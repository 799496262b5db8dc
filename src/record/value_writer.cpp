#include "record/value_writer.hpp"

#include <charconv>

namespace hydra::record {
namespace {

using Form = ValueWriter::Form;

// A function that makes json of a type, as json.c looks for one; none for built-in types.
Oid cast_to_json(Oid type) {
  if (type < FirstNormalObjectId) return InvalidOid;
  Oid function = InvalidOid;
  const CoercionPathType path = find_coercion_pathway(JSONOID, type, COERCION_EXPLICIT, &function);
  return path == COERCION_PATH_FUNC ? function : InvalidOid;
}

Form form_of(Oid type) {
  switch (type) {
    case BOOLOID:
      return Form::boolean;
    case INT2OID:
      return Form::int2;
    case INT4OID:
      return Form::int4;
    case INT8OID:
      return Form::int8;
    case FLOAT4OID:
    case FLOAT8OID:
    case NUMERICOID:
      return Form::number;
    case TEXTOID:
    case VARCHAROID:
      return Form::text;
    case DATEOID:
      return Form::date;
    case TIMESTAMPOID:
      return Form::timestamp;
    case TIMESTAMPTZOID:
      return Form::timestamptz;
    case JSONOID:
      return Form::json;
    case JSONBOID:
      return Form::jsonb;
    default:
      break;
  }
  if (OidIsValid(get_element_type(type)) || type == ANYARRAYOID || type == RECORDARRAYOID) {
    return Form::array;
  }
  if (type_is_rowtype(type)) return Form::composite;
  return OidIsValid(cast_to_json(type)) ? Form::cast : Form::string;
}

void prepare_function(ValueWriter* writer) {
  Oid function = cast_to_json(writer->type);
  if (writer->form != Form::cast) {
    bool varlena = false;
    getTypeOutputInfo(writer->type, &function, &varlena);
  }
  fmgr_info_cxt(function, &writer->function, writer->context);
}

template <typename Integer>
void write_integer(Line& line, Integer value) {
  char* to = line.room(24);
  line.advance(static_cast<std::size_t>(std::to_chars(to, to + 24, value).ptr - to));
}

void write_time(Line& line, Oid type, Datum value) {
  char text[MAXDATELEN + 1];
  JsonEncodeDateTime(text, value, type, nullptr);
  line.put('"');
  line.append(text);
  line.put('"');
}

void write_number(Line& line, const char* text) {
  const std::size_t length = std::strlen(text);
  if (IsValidJsonNumber(text, static_cast<int>(length))) {
    line.append(text, length);
  } else {
    line.append_string(text, length);
  }
}

void write_varlena(Line& line, Form form, Datum value) {
  text* detoasted = DatumGetTextPP(value);
  const char* bytes = VARDATA_ANY(detoasted);
  const std::size_t size = VARSIZE_ANY_EXHDR(detoasted);
  if (form == Form::text) {
    line.append_string(bytes, size);
  } else {
    line.append_minified(bytes, size);
  }
  if (static_cast<void*>(detoasted) != DatumGetPointer(value)) pfree(detoasted);
}

// A value of a type whose cast gives json. What the cast wrote stays, but for line breaks.
void write_cast(Line& line, ValueWriter* writer, Datum value) {
  text* json = DatumGetTextPP(FunctionCall1(&writer->function, value));
  const char* bytes = VARDATA_ANY(json);
  const std::size_t size = VARSIZE_ANY_EXHDR(json);
  const bool breaks =
      std::memchr(bytes, '\n', size) != nullptr || std::memchr(bytes, '\r', size) != nullptr;
  if (breaks) {
    line.append_minified(bytes, size);
  } else {
    line.append_json(bytes, size);
  }
}

struct Elements {
  Datum* values;
  bool* nulls;
  int next;
};

void write_dimension(Line& line, ValueWriter* element, Elements* elements, int dimensions,
                     const int* sizes) {
  line.put('[');
  for (int i = 0; i < sizes[0]; ++i) {
    if (i > 0) line.put(',');
    if (dimensions > 1) {
      write_dimension(line, element, elements, dimensions - 1, sizes + 1);
      continue;
    }
    if (elements->nulls[elements->next]) {
      line.append("null", 4);
    } else {
      write_value(line, element, elements->values[elements->next]);
    }
    ++elements->next;
  }
  line.put(']');
}

// The element type is the array's own: that of anyarray and record[] is known only from a value.
void prepare_element(ValueWriter* writer, Oid type) {
  if (writer->element != nullptr && writer->element->type == type) return;
  MemoryContext previous = MemoryContextSwitchTo(writer->context);
  get_typlenbyvalalign(type, &writer->element_length, &writer->element_by_value,
                       &writer->element_alignment);
  writer->element = make_value_writer(type);
  MemoryContextSwitchTo(previous);
}

void write_array(Line& line, ValueWriter* writer, Datum value) {
  check_stack_depth();
  ArrayType* array = DatumGetArrayTypeP(value);
  if (ArrayGetNItems(ARR_NDIM(array), ARR_DIMS(array)) <= 0) {
    line.append("[]", 2);
    return;
  }
  prepare_element(writer, ARR_ELEMTYPE(array));
  Elements elements{};
  int count = 0;
  deconstruct_array(array, ARR_ELEMTYPE(array), writer->element_length, writer->element_by_value,
                    writer->element_alignment, &elements.values, &elements.nulls, &count);
  write_dimension(line, writer->element, &elements, ARR_NDIM(array), ARR_DIMS(array));
}

void prepare_attributes(ValueWriter* writer, Oid type, int32 typmod) {
  TupleDesc known = writer->descriptor;
  if (known != nullptr && known->tdtypeid == type && known->tdtypmod == typmod) return;
  MemoryContext previous = MemoryContextSwitchTo(writer->context);
  TupleDesc descriptor = lookup_rowtype_tupdesc_copy(type, typmod);
  writer->attributes =
      static_cast<ValueWriter**>(palloc0(sizeof(ValueWriter*) * (descriptor->natts + 1)));
  for (int i = 0; i < descriptor->natts; ++i) {
    Form_pg_attribute attribute = TupleDescAttr(descriptor, i);
    if (!attribute->attisdropped) writer->attributes[i] = make_value_writer(attribute->atttypid);
  }
  writer->descriptor = descriptor;
  MemoryContextSwitchTo(previous);
}

void write_composite(Line& line, ValueWriter* writer, Datum value) {
  check_stack_depth();
  HeapTupleHeader header = DatumGetHeapTupleHeader(value);
  prepare_attributes(writer, HeapTupleHeaderGetTypeId(header), HeapTupleHeaderGetTypMod(header));
  HeapTupleData tuple{};
  tuple.t_len = HeapTupleHeaderGetDatumLength(header);
  tuple.t_data = header;
  bool first = true;
  line.put('{');
  for (int i = 0; i < writer->descriptor->natts; ++i) {
    if (writer->attributes[i] == nullptr) continue;
    if (!first) line.put(',');
    first = false;
    const char* name = NameStr(TupleDescAttr(writer->descriptor, i)->attname);
    line.append_string(name, std::strlen(name));
    line.put(':');
    bool null = false;
    const Datum attribute = heap_getattr(&tuple, i + 1, writer->descriptor, &null);
    if (null) {
      line.append("null", 4);
    } else {
      write_value(line, writer->attributes[i], attribute);
    }
  }
  line.put('}');
}

}  // namespace

ValueWriter* make_value_writer(Oid type) {
  ValueWriter* writer = static_cast<ValueWriter*>(palloc0(sizeof(ValueWriter)));
  writer->context = CurrentMemoryContext;
  writer->type = getBaseType(type);
  writer->form = form_of(writer->type);
  switch (writer->form) {
    case Form::number:
    case Form::string:
    case Form::jsonb:
    case Form::cast:
      prepare_function(writer);
      break;
    default:
      break;
  }
  return writer;
}

void write_value(Line& line, ValueWriter* writer, Datum value) {
  switch (writer->form) {
    case Form::boolean:
      line.append(DatumGetBool(value) ? "true" : "false");
      break;
    case Form::int2:
      write_integer(line, DatumGetInt16(value));
      break;
    case Form::int4:
      write_integer(line, DatumGetInt32(value));
      break;
    case Form::int8:
      write_integer(line, DatumGetInt64(value));
      break;
    case Form::text:
    case Form::json:
      write_varlena(line, writer->form, value);
      break;
    case Form::date:
    case Form::timestamp:
    case Form::timestamptz:
      write_time(line, writer->type, value);
      break;
    case Form::number:
      write_number(line, OutputFunctionCall(&writer->function, value));
      break;
    case Form::jsonb: {
      const char* text = OutputFunctionCall(&writer->function, value);
      line.append_json(text, std::strlen(text));
      break;
    }
    case Form::string: {
      const char* text = OutputFunctionCall(&writer->function, value);
      line.append_string(text, std::strlen(text));
      break;
    }
    case Form::cast:
      write_cast(line, writer, value);
      break;
    case Form::array:
      write_array(line, writer, value);
      break;
    case Form::composite:
      write_composite(line, writer, value);
      break;
  }
}

}  // namespace hydra::record
