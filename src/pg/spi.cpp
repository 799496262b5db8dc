#include "pg/spi.hpp"

#include "base/utf8.hpp"
#include "pg/compat.hpp"

namespace hydra::pg {
namespace {

// Fields of a result, copied out of SPI's memory before SPI_finish() frees it.
struct Cells {
  MemoryContext context;
  std::uint64_t rows;
  int columns;
  char** values;  // row after row; nullptr is NULL
};

// Raw.
void copy_cells(Cells* cells) {
  if (SPI_tuptable == nullptr) return;
  MemoryContext previous = MemoryContextSwitchTo(cells->context);
  const TupleDesc descriptor = SPI_tuptable->tupdesc;
  cells->rows = SPI_processed;
  cells->columns = descriptor->natts;
  cells->values = static_cast<char**>(
      palloc_extended(sizeof(char*) * cells->rows * cells->columns + 1, MCXT_ALLOC_HUGE));
  char** next = cells->values;
  for (std::uint64_t row = 0; row < cells->rows; ++row) {
    for (int column = 1; column <= cells->columns; ++column) {
      char* value = SPI_getvalue(SPI_tuptable->vals[row], descriptor, column);
      *next++ = value != nullptr ? pstrdup(value) : nullptr;
    }
  }
  MemoryContextSwitchTo(previous);
}

// Raw. The meaning of the extension's own statements must not depend on the session: neither to
// which objects names resolve, nor whether triggers of its tables fire. Undone at the end of the
// nest level.
int begin_own_settings() {
  const int level = NewGUCNestLevel();
  if (std::strcmp(namespace_search_path, "pg_catalog, pg_temp") != 0) {
    compat::restrict_search_path();
  }
  if (SessionReplicationRole != SESSION_REPLICATION_ROLE_ORIGIN) {
    (void)set_config_option("session_replication_role", "origin", PGC_SUSET, PGC_S_SESSION,
                            GUC_ACTION_SAVE, true, 0, false);
  }
  return level;
}

// Raw. With a snapshot, the statement is read-only and uses it.
void execute(const char* sql, int count, const char* const* parameters, Snapshot snapshot,
             Cells* cells) {
  Oid* types = static_cast<Oid*>(palloc(sizeof(Oid) * (count + 1)));
  Datum* values = static_cast<Datum*>(palloc(sizeof(Datum) * (count + 1)));
  char* nulls = static_cast<char*>(palloc(count + 1));
  for (int i = 0; i < count; ++i) {
    types[i] = TEXTOID;
    values[i] = parameters[i] != nullptr ? CStringGetTextDatum(parameters[i]) : Datum(0);
    nulls[i] = parameters[i] != nullptr ? ' ' : 'n';
  }
  const int level = begin_own_settings();
  SPI_connect();
  // SPI takes a snapshot for each writing statement, but requires an active one nevertheless.
  PushActiveSnapshot(snapshot != nullptr ? snapshot : GetTransactionSnapshot());
  const int result =
      SPI_execute_with_args(sql, count, types, values, nulls, snapshot != nullptr, 0);
  if (result < 0) elog(ERROR, "SPI_execute_with_args: %s", SPI_result_code_string(result));
  copy_cells(cells);
  PopActiveSnapshot();
  SPI_finish();
  AtEOXact_GUC(false, level);
}

Rows to_rows(const Cells& cells) {
  Rows rows(cells.rows);
  char** next = cells.values;
  for (Row& row : rows) {
    row.reserve(cells.columns);
    for (int column = 0; column < cells.columns; ++column, ++next) {
      row.push_back(*next != nullptr ? Text(*next) : std::nullopt);
    }
  }
  return rows;
}

Rows run(Snapshot snapshot, const std::string& sql, const std::vector<Text>& parameters) {
  std::vector<const char*> pointers;
  for (const Text& parameter : parameters) {
    pointers.push_back(parameter ? parameter->c_str() : nullptr);
  }
  const char* statement = sql.c_str();
  const char* const* values = pointers.data();
  const int count = static_cast<int>(pointers.size());
  Cells cells{};
  call([&]() noexcept {
    cells.context =
        AllocSetContextCreate(CurrentMemoryContext, "hydra_export query", ALLOCSET_DEFAULT_SIZES);
    MemoryContext previous = MemoryContextSwitchTo(cells.context);
    execute(statement, count, values, snapshot, &cells);
    MemoryContextSwitchTo(previous);
  });
  Rows rows = to_rows(cells);
  MemoryContextDelete(cells.context);
  return rows;
}

}  // namespace

Rows query(const std::string& sql, const std::vector<Text>& parameters) {
  return run(nullptr, sql, parameters);
}

Rows query_at(Snapshot snapshot, const std::string& sql, const std::vector<Text>& parameters) {
  return run(snapshot, sql, parameters);
}

std::int64_t to_int(const Text& value) {
  if (!value) throw std::logic_error("a number was expected, not NULL");
  return std::stoll(*value);
}

bool to_bool(const Text& value) {
  return value && *value == "t";
}

std::string or_empty(const Text& value) {
  return value.value_or("");
}

Text text_or_null(const std::string& value) {
  return value.empty() ? Text() : Text(value);
}

std::string quote_literal(const std::string& value) {
  const char* text = value.c_str();
  return call([=]() noexcept { return quote_literal_cstr(text); });
}

std::string quote_identifier(const std::string& name) {
  const char* text = name.c_str();
  return call([=]() noexcept { return ::quote_identifier(text); });
}

std::optional<std::string> qualified_name(Oid relation) {
  const char* name = call([=]() noexcept -> const char* {
    const char* table = get_rel_name(relation);
    if (table == nullptr) return nullptr;
    const char* schema = get_namespace_name(get_rel_namespace(relation));
    return schema != nullptr ? quote_qualified_identifier(schema, table) : nullptr;
  });
  if (name == nullptr) return std::nullopt;
  return name;
}

std::string array_literal(const std::vector<std::string>& items) {
  std::string literal = "{";
  for (const std::string& item : items) {
    if (literal.size() > 1) literal += ',';
    literal += '"';
    for (char c : item) {
      if (c == '"' || c == '\\') literal += '\\';
      literal += c;
    }
    literal += '"';
  }
  return literal + "}";
}

std::vector<std::string> array_items(const Text& literal) {
  std::vector<std::string> items;
  if (!literal) return items;
  for (const Row& row : query("SELECT item FROM unnest($1::text[]) WITH ORDINALITY AS u(item, n)"
                              " ORDER BY n",
                              {literal})) {
    items.push_back(or_empty(row[0]));
  }
  return items;
}

std::string to_utf8(const std::string& value) {
  const char* from = value.c_str();
  const int length = static_cast<int>(value.size());
  const char* converted =
      call([=]() noexcept -> const char* { return pg_server_to_any(from, length, PG_UTF8); });
  return converted == from ? value : std::string(converted);
}

std::string readable(const std::string& value) {
  if (GetDatabaseEncoding() != PG_SQL_ASCII) return value;
  std::string text;
  for (std::string_view rest = value; !rest.empty();) {
    const std::size_t length = utf8_length(rest);
    if (length > 0) {
      text += rest.substr(0, length);
    } else {
      text += '?';
    }
    rest.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return text;
}

std::string from_utf8(const std::string& value) {
  if (GetDatabaseEncoding() == PG_UTF8 || GetDatabaseEncoding() == PG_SQL_ASCII) return value;
  std::string ascii = value;
  std::replace_if(
      ascii.begin(), ascii.end(), [](char c) { return (c & 0x80) != 0; }, '?');
  return ascii;
}

}  // namespace hydra::pg
