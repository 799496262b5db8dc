// Runs SQL statements and returns rows of text.
//
// Parameters and results are text, and statements state the types ($1::bigint): the extension's own
// tables are small, so one form is enough. Each call is a complete SPI session, with search_path =
// pg_catalog, pg_temp at a GUC nest level of its own: names without a schema are the server's. Call
// in a transaction; an error aborts it (error.hpp).
#pragma once

#include "pg/error.hpp"

namespace hydra::pg {

using Text = std::optional<std::string>;  // nullopt is NULL
using Row = std::vector<Text>;
using Rows = std::vector<Row>;

// Runs one statement with a new snapshot.
Rows query(const std::string& sql, const std::vector<Text>& parameters = {});

// Runs one read-only statement under the given snapshot.
Rows query_at(Snapshot snapshot, const std::string& sql, const std::vector<Text>& parameters = {});

std::int64_t to_int(const Text& value);       // throws on NULL and on text that is not an integer
bool to_bool(const Text& value);              // 't' is true
std::string or_empty(const Text& value);      // NULL becomes ''
Text text_or_null(const std::string& value);  // '' becomes NULL
template <typename T>
requires std::is_integral_v<T> Text text(T value) {
  if constexpr (std::is_same_v<T, bool>) return value ? "t" : "f";
  return std::to_string(value);
}

// 'it''s', "My Table": safe in a statement.
std::string quote_literal(const std::string& value);
std::string quote_identifier(const std::string& name);

// sales."My Table", independent of search_path; nullopt if the relation does not exist.
std::optional<std::string> qualified_name(Oid relation);

// A text[] as SQL prints it, and its inverse.
std::string array_literal(const std::vector<std::string>& items);
std::vector<std::string> array_items(const Text& literal);

// From the database's encoding to UTF-8 (throws if it is not valid).
std::string to_utf8(const std::string& value);

// For messages that may quote any bytes of a table: in the encoding SQL_ASCII, replaces bytes that
// are not valid UTF-8 by '?'.
std::string readable(const std::string& value);

// From UTF-8, for the history: if the database has another encoding, non-ASCII becomes '?'.
std::string from_utf8(const std::string& value);

}  // namespace hydra::pg
