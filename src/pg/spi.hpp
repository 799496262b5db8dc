// SQL from C++: statements in, rows of text out.
//
// Parameters and results are text, and statements say the types ($1::bigint): the extension's own
// tables are small, and one form serves them all. Each call is a complete SPI session, under
// search_path = pg_catalog, pg_temp at a nest level of its own: names without a schema are the
// server's. Inside a transaction only; an error ends it (error.hpp).
#pragma once

#include "pg/error.hpp"

namespace hydra::pg {

using Text = std::optional<std::string>;  // nullopt is NULL
using Row = std::vector<Text>;
using Rows = std::vector<Row>;

// Runs one statement with a snapshot of its own.
Rows query(const std::string& sql, const std::vector<Text>& parameters = {});

// Runs one read-only statement under the given snapshot.
Rows query_at(Snapshot snapshot, const std::string& sql, const std::vector<Text>& parameters = {});

std::int64_t to_int(const Text& value);       // throws on NULL and on what is no integer
bool to_bool(const Text& value);              // 't' is true
std::string or_empty(const Text& value);      // NULL becomes ''
Text text_or_null(const std::string& value);  // '' becomes NULL
template <typename T>
requires std::is_integral_v<T> Text text(T value) {
  if constexpr (std::is_same_v<T, bool>) return value ? "t" : "f";
  return std::to_string(value);
}

// 'it''s', "My Table": safe to put into a statement.
std::string quote_literal(const std::string& value);
std::string quote_identifier(const std::string& name);

// sales."My Table", whatever search_path is; nullopt when no such relation exists.
std::optional<std::string> qualified_name(Oid relation);

// A text[] as SQL prints it, and back.
std::string array_literal(const std::vector<std::string>& items);
std::vector<std::string> array_items(const Text& literal);

// From the database's encoding to UTF-8 (throws where it is not valid).
std::string to_utf8(const std::string& value);

// A message that may quote any bytes of a table: where nothing is known of their encoding, '?' for
// those that are not valid UTF-8.
std::string readable(const std::string& value);

// From UTF-8, for history: where the database has another encoding, '?' for what is not ASCII.
std::string from_utf8(const std::string& value);

}  // namespace hydra::pg
