#include "row_json/line.hpp"

#include "json/minify.hpp"

namespace hydra::row_json {
namespace {

// Text in UTF-8. Close it after use, to free the copy of a text that was converted. Raw.
struct Utf8 {
  const char* data;
  std::size_t size;
  bool is_copy;

  // Raises an error if the bytes are not valid.
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

// detail: contains a placeholder for the size.
void Line::raise_too_large(const char* detail) const {
  ereport(ERROR,
          (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
           errmsg("a row's JSON is larger than hydra_export.max_row_size (%zu kB)", limit_ / 1024),
           errdetail(detail, size()),
           errhint("Raise hydra_export.max_row_size, or leave out the large column with "
                   "hydra_export.alter_model(..., columns => ...).")));
  pg_unreachable();
}

char* Line::make_room(char* to, std::size_t n) {
  keep(to);
  if (size() > limit_) raise_too_large("It has more than %zu bytes.");
  if (!buffer_.reserve(n)) {
    ereport(ERROR, (errcode(ERRCODE_OUT_OF_MEMORY), errmsg("out of memory"),
                    errdetail("A row's JSON has %zu bytes so far.", size())));
  }
  stop_ = buffer_.data() + buffer_.capacity();
  return buffer_.end();
}

// The length of the first piece of a text, in whole characters. With SQL_ASCII, characters are
// unknown; but then texts are only checked, not converted, so the size does not matter.
std::size_t Line::piece_of(std::string_view text) const {
  const std::size_t most = std::min(text.size(), escape_piece);
  if (!converts_ || most == text.size()) return most;
  if (GetDatabaseEncoding() == PG_SQL_ASCII) return text.size();
  const auto size = static_cast<int>(std::min<std::size_t>(text.size(), INT_MAX));
  return static_cast<std::size_t>(pg_mbcliplen(text.data(), size, static_cast<int>(most)));
}

char* Line::append_long_string(char* to, const char* from, std::size_t n) {
  std::string_view rest(from, n);
  to = put(to, '"');
  while (!rest.empty()) {
    const std::size_t piece = std::max<std::size_t>(piece_of(rest), 1);
    to = append_escaped(to, rest.data(), piece);
    rest.remove_prefix(piece);
  }
  return put(to, '"');
}

char* Line::append_escaped(char* to, const char* from, std::size_t n) {
  const Utf8 text = converts_ ? Utf8::convert(from, n) : Utf8{from, n, false};
  for (std::size_t done = 0; done < text.size;) {
    const std::size_t piece = std::min(text.size - done, escape_piece);
    to = room(to, json::max_escaped_size(piece));
    to += json::escape_bytes(to, text.data + done, piece);
    done += piece;
  }
  text.close();
  return to;
}

char* Line::append_json(char* to, const char* from, std::size_t n) {
  const Utf8 text = converts_ ? Utf8::convert(from, n) : Utf8{from, n, false};
  to = append(to, text.data, text.size);
  text.close();
  return to;
}

char* Line::append_minified(char* to, const char* from, std::size_t n) {
  const Utf8 text = converts_ ? Utf8::convert(from, n) : Utf8{from, n, false};
  to = room(to, text.size);
  to += json::minify(to, text.data, text.size);
  text.close();
  return to;
}

}  // namespace hydra::row_json
