// Types that are text, and types that are converted to text by a function of the server.
#include "base/hex.hpp"
#include "pg/untrusted_code.hpp"
#include "row_json/varlena.hpp"
#include "row_json/writers.hpp"

namespace hydra::row_json {
namespace {

// Large binary values are written in pieces, as text is.
constexpr std::size_t hex_piece = 16 * 1024;

char* write_text(Line& line, char* to, ValueWriter*, Datum value) {
  const Varlena text = Varlena::open(value);
  to = line.append_string(to, text.data, text.size);
  text.close();
  return to;
}

char* write_json(Line& line, char* to, ValueWriter*, Datum value) {
  const Varlena text = Varlena::open(value);
  to = line.append_minified(to, text.data, text.size);
  text.close();
  return to;
}

char* write_name(Line& line, char* to, ValueWriter*, Datum value) {
  const char* name = bytes_of(value);
  return line.append_string(to, name, strnlen(name, NAMEDATALEN));
}

// "\\x4142": the backslash of the text is escaped.
char* write_bytea(Line& line, char* to, ValueWriter*, Datum value) {
  const Varlena bytes = Varlena::open(value);
  to = line.append(to, "\"\\\\x", 4);
  for (std::size_t done = 0; done < bytes.size; done += hex_piece) {
    const std::size_t piece = std::min(bytes.size - done, hex_piece);
    to = put_hex(line.room(to, 2 * piece), bytes.data + done, piece);
  }
  bytes.close();
  return line.put(to, '"');
}

struct FunctionWriter : ValueWriter {
  FmgrInfo function;
};

FmgrInfo* function_of(ValueWriter* writer) {
  return &static_cast<FunctionWriter*>(writer)->function;
}

char* write_output(Line& line, char* to, ValueWriter* writer, Datum value) {
  char* text = OutputFunctionCall(function_of(writer), value);
  to = line.append_string(to, text);
  pfree(text);
  return to;
}

// A single byte, which is not a valid character if its high bit is set: what is printed then
// depends on the server's version, and may be invalid.
char* write_char(Line& line, char* to, ValueWriter* writer, Datum value) {
  const char byte = DatumGetChar(value);
  if (!IS_HIGHBIT_SET(byte)) {
    return line.append_string(to, &byte, byte == '\0' ? 0 : 1);
  }
  char* text = OutputFunctionCall(function_of(writer), value);
  (void)pg_verifymbstr(text, static_cast<int>(std::strlen(text)), false);
  to = line.append_string(to, text);
  pfree(text);
  return to;
}

// The cast's output is copied unchanged, except for line breaks.
char* write_cast(Line& line, char* to, ValueWriter* writer, Datum value) {
  text* json = DatumGetTextPP(FunctionCall1(function_of(writer), value));
  const char* bytes = VARDATA_ANY(json);
  const std::size_t size = VARSIZE_ANY_EXHDR(json);
  const bool breaks =
      std::memchr(bytes, '\n', size) != nullptr || std::memchr(bytes, '\r', size) != nullptr;
  if (breaks) {
    to = line.append_minified(to, bytes, size);
  } else {
    to = line.append_json(to, bytes, size);
  }
  pfree(json);
  return to;
}

ValueWriter* make_function_writer(Oid type, Oid function, ValueWriter::Write write) {
  pg::check_author(function);
  FunctionWriter* writer = allocate_writer<FunctionWriter>(type, write);
  fmgr_info_cxt(function, &writer->function, writer->context);
  return writer;
}

ValueWriter* make_output_writer(Oid type, ValueWriter::Write write) {
  Oid function = InvalidOid;
  bool varlena = false;
  getTypeOutputInfo(type, &function, &varlena);
  return make_function_writer(type, function, write);
}

ValueWriter* make_plain_writer(Oid type, ValueWriter::Write write) {
  ValueWriter* writer = allocate_writer<ValueWriter>(type, write);
  writer->takes_any_place = true;
  return writer;
}

}  // namespace

ValueWriter* make_text_writer(Oid type) {
  switch (type) {
    case TEXTOID:
    case VARCHAROID:
    case BPCHAROID:
      return make_plain_writer(type, write_text);
    case JSONOID:
      return make_plain_writer(type, write_json);
    case NAMEOID:
      return make_plain_writer(type, write_name);
    case BYTEAOID:
      return make_plain_writer(type, write_bytea);
    case CHAROID:
      return make_output_writer(type, write_char);
    default:
      return nullptr;
  }
}

// Types of extensions that are text under another name (citext) have the output function of text.
ValueWriter* make_output_writer(Oid type) {
  ValueWriter* writer = make_output_writer(type, write_output);
  if (function_of(writer)->fn_addr == textout) return make_plain_writer(type, write_text);
  return writer;
}

ValueWriter* make_cast_writer(Oid type, Oid function) {
  if (get_func_nargs(function) != 1) {
    ereport(ERROR, (errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
                    errmsg("the cast of type %s to json has a function with more than one argument",
                           format_type_be(type)),
                    errhint("Create it with a function of one argument.")));
  }
  return make_function_writer(type, function, write_cast);
}

}  // namespace hydra::row_json
