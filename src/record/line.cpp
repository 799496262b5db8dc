#include "record/line.hpp"

#include "json/escape.hpp"
#include "json/minify.hpp"

namespace hydra::record {
namespace {

// Escaping may make six bytes of one; in pieces, the room asked for stays near what is needed.
constexpr std::size_t escape_piece = 16 * 1024;

// Bytes in UTF-8, as the database's own encoding or converted. Raw.
std::string_view to_utf8(const char* from, std::size_t n) {
  if (GetDatabaseEncoding() == PG_UTF8) return {from, n};
  const char* converted = pg_server_to_any(from, static_cast<int>(n), PG_UTF8);
  return {converted, converted == from ? n : std::strlen(converted)};
}

}  // namespace

char* Line::room(std::size_t n) {
  if (size() + n > limit_ && size() > limit_) {
    ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                    errmsg("a row's JSON is larger than hydra_export.max_row_size (%zu kB)",
                           limit_ / 1024),
                    errhint("Raise hydra_export.max_row_size, or leave out the large column with "
                            "hydra_export.alter_model(..., columns => ...).")));
  }
  if (!buffer_.reserve(n)) {
    ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"),
                    errdetail("A row's JSON has %zu bytes so far.", size())));
  }
  return buffer_.end();
}

void Line::append(const char* from, std::size_t n) {
  std::memcpy(room(n), from, n);
  advance(n);
}

void Line::append_string(const char* from, std::size_t n) {
  std::string_view rest = to_utf8(from, n);
  put('"');
  while (!rest.empty()) {
    const std::size_t piece = std::min(rest.size(), escape_piece);
    char* to = room(json::max_escaped_size(piece));
    advance(json::escape_bytes(to, rest.data(), piece));
    rest.remove_prefix(piece);
  }
  put('"');
}

void Line::append_json(const char* from, std::size_t n) {
  const std::string_view text = to_utf8(from, n);
  append(text.data(), text.size());
}

void Line::append_minified(const char* from, std::size_t n) {
  const std::string_view text = to_utf8(from, n);
  advance(json::minify(room(text.size()), text.data(), text.size()));
}

}  // namespace hydra::record
