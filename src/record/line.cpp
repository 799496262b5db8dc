#include "record/line.hpp"

#include "json/minify.hpp"

namespace hydra::record {
namespace {

// Text in UTF-8; to be closed after use, as a copy was made where it had to be converted. Raw.
struct Utf8 {
  const char* data;
  std::size_t size;
  bool is_copy;

  // Raises where the bytes are not valid.
  static Utf8 convert(const char* from, std::size_t n) {
    const char* converted = pg_server_to_any(from, static_cast<int>(n), PG_UTF8);
    if (converted == from) return {from, n, false};
    return {converted, std::strlen(converted), true};
  }

  void close() const {
    if (is_copy) pfree(const_cast<char*>(data));
  }
};

}  // namespace

char* Line::make_room(std::size_t n) {
  if (size() > limit_) {
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

// The length of the first piece of a text, whole characters. In SQL_ASCII nothing is known of
// characters; but there texts are only checked, not converted, so size is no matter.
std::size_t Line::piece_of(std::string_view text) const {
  const std::size_t most = std::min(text.size(), escape_piece);
  if (!converts_ || most == text.size()) return most;
  if (GetDatabaseEncoding() == PG_SQL_ASCII) return text.size();
  const auto size = static_cast<int>(std::min<std::size_t>(text.size(), INT_MAX));
  return static_cast<std::size_t>(pg_mbcliplen(text.data(), size, static_cast<int>(most)));
}

void Line::append_long_string(const char* from, std::size_t n) {
  std::string_view rest(from, n);
  put('"');
  while (!rest.empty()) {
    const std::size_t piece = std::max<std::size_t>(piece_of(rest), 1);
    append_escaped(rest.data(), piece);
    rest.remove_prefix(piece);
  }
  put('"');
}

void Line::append_escaped(const char* from, std::size_t n) {
  const Utf8 text = converts_ ? Utf8::convert(from, n) : Utf8{from, n, false};
  for (std::size_t done = 0; done < text.size;) {
    const std::size_t piece = std::min(text.size - done, escape_piece);
    char* to = room(json::max_escaped_size(piece));
    advance_to(to + json::escape_bytes(to, text.data + done, piece));
    done += piece;
  }
  text.close();
}

void Line::append_json(const char* from, std::size_t n) {
  const Utf8 text = converts_ ? Utf8::convert(from, n) : Utf8{from, n, false};
  append(text.data, text.size);
  text.close();
}

void Line::append_minified(const char* from, std::size_t n) {
  const Utf8 text = converts_ ? Utf8::convert(from, n) : Utf8{from, n, false};
  char* to = room(text.size);
  advance_to(to + json::minify(to, text.data, text.size));
  text.close();
}

}  // namespace hydra::record
