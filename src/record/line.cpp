#include "record/line.hpp"

#include "json/minify.hpp"

namespace hydra::record {
namespace {

// Bytes of another encoding in UTF-8; raises where that cannot be. Raw.
std::string_view to_utf8(const char* from, std::size_t n) {
  const char* converted = pg_server_to_any(from, static_cast<int>(n), PG_UTF8);
  return {converted, converted == from ? n : std::strlen(converted)};
}

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

void Line::append_long_string(const char* from, std::size_t n) {
  std::string_view rest(from, n);
  if (converts_) rest = to_utf8(from, n);
  put('"');
  while (!rest.empty()) {
    const std::size_t piece = std::min(rest.size(), escape_piece);
    char* to = room(json::max_escaped_size(piece));
    advance_to(to + json::escape_bytes(to, rest.data(), piece));
    rest.remove_prefix(piece);
  }
  put('"');
}

void Line::append_json(const char* from, std::size_t n) {
  std::string_view text(from, n);
  if (converts_) text = to_utf8(from, n);
  append(text.data(), text.size());
}

void Line::append_minified(const char* from, std::size_t n) {
  std::string_view text(from, n);
  if (converts_) text = to_utf8(from, n);
  char* to = room(text.size());
  advance_to(to + json::minify(to, text.data(), text.size()));
}

}  // namespace hydra::record
