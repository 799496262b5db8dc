#include "s3/xml.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

#include "base/ascii.hpp"
#include "base/utf8.hpp"

namespace hydra::s3 {

namespace {

// The character of &#233; or &#xe9;, given what stands between '#' and ';'.
bool append_numbered(std::string& to, std::string_view digits) {
  const bool hexadecimal = digits.starts_with('x');
  if (hexadecimal) digits.remove_prefix(1);
  std::uint32_t point = 0;
  const char* stop = digits.data() + digits.size();
  const auto [end, error] = std::from_chars(digits.data(), stop, point, hexadecimal ? 16 : 10);
  if (error != std::errc() || end != stop) return false;
  append_utf8(to, point);
  return true;
}

// The name between '&' and ';'. False if it is not a known entity.
bool append_entity(std::string& to, std::string_view name) {
  constexpr std::pair<std::string_view, char> named[] = {
      {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& [known_name, character] : named) {
    if (name != known_name) continue;
    to += character;
    return true;
  }
  return name.starts_with('#') && append_numbered(to, name.substr(1));
}

std::string decode_entities(std::string_view text) {
  constexpr std::size_t longest_entity = 11;  // with '&' and ';'
  std::string decoded;
  while (!text.empty()) {
    const std::size_t semicolon =
        text[0] == '&' ? text.substr(0, longest_entity).find(';') : std::string_view::npos;
    if (semicolon != std::string_view::npos &&
        append_entity(decoded, text.substr(1, semicolon - 1))) {
      text.remove_prefix(semicolon + 1);
      continue;
    }
    decoded += text[0];
    text.remove_prefix(1);
  }
  return decoded;
}

// The end of a tag: a '>' outside of attribute values.
std::size_t end_of_tag(std::string_view tag) {
  char quote = '\0';
  for (std::size_t i = 0; i < tag.size(); ++i) {
    if (quote != '\0') {
      if (tag[i] == quote) quote = '\0';
    } else if (tag[i] == '>') {
      return i;
    } else if (tag[i] == '"' || tag[i] == '\'') {
      quote = tag[i];
    }
  }
  return tag.find('>');  // for unterminated quotes, as in careless HTML
}

// The tag's name in the text between '<' and '>', without its prefix.
std::string_view name_of_tag(std::string_view tag) {
  std::string_view name = tag.substr(0, tag.find_first_of(" \t\r\n/"));
  const std::size_t colon = name.rfind(':');
  if (colon != std::string_view::npos) name.remove_prefix(colon + 1);
  return name;
}

MarkupPiece piece_of_tag(std::string_view tag) {
  if (tag.starts_with('/')) return {MarkupPiece::close, name_of_tag(tag.substr(1))};
  return {tag.ends_with('/') ? MarkupPiece::empty : MarkupPiece::open, name_of_tag(tag)};
}

bool begins_tag(std::string_view text) {
  if (text.size() < 2 || text[0] != '<') return false;
  const unsigned char next = static_cast<unsigned char>(text[1]);
  return next == '/' || next == '!' || next == '?' || next == '_' || next >= 0x80 ||
         is_letter(next);
}

std::string text_of(const MarkupPiece& piece) {
  return piece.kind == MarkupPiece::text ? decode_entities(piece.value) : std::string(piece.value);
}

bool is_text(const MarkupPiece& piece) {
  return piece.kind == MarkupPiece::text || piece.kind == MarkupPiece::cdata;
}

// Collects text up to the end of the element that has just begun. In a truncated body without that
// end, what follows the next tag may belong to anything, so only the text before it is used.
std::string text_of_element(MarkupReader reader, std::string_view name) {
  std::string text;
  std::optional<std::string> before_next_tag;
  while (const auto piece = reader.next()) {
    if (is_text(*piece)) {
      text += text_of(*piece);
      continue;
    }
    if (piece->kind == MarkupPiece::close && same_name(piece->value, name)) return text;
    if (!before_next_tag) before_next_tag = text;
  }
  return before_next_tag.value_or(text);
}

}  // namespace

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char one, char other) { return to_lower(one) == to_lower(other); });
}

std::optional<MarkupPiece> MarkupReader::next() {
  while (!rest_.empty()) {
    if (begins_tag(rest_)) {
      if (const auto piece = markup()) return piece;
      continue;
    }
    std::size_t end = rest_.find('<', 1);
    while (end != std::string_view::npos && !begins_tag(rest_.substr(end)))
      end = rest_.find('<', end + 1);
    const MarkupPiece piece{MarkupPiece::text, rest_.substr(0, end)};
    rest_.remove_prefix(piece.value.size());
    return piece;
  }
  return std::nullopt;
}

// Nothing if there is no piece.
std::optional<MarkupPiece> MarkupReader::markup() {
  constexpr std::string_view comment = "<!--", cdata = "<![CDATA[";
  if (rest_.starts_with(comment)) {
    rest_.remove_prefix(comment.size());
    up_to("-->");
    return std::nullopt;
  }
  if (rest_.starts_with(cdata)) {
    rest_.remove_prefix(cdata.size());
    return MarkupPiece{MarkupPiece::cdata, up_to("]]>")};
  }
  const std::size_t end = end_of_tag(rest_);
  const std::string_view tag = rest_.substr(1, end == std::string_view::npos ? end : end - 1);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  if (end == std::string_view::npos || tag.starts_with('!') || tag.starts_with('?'))
    return std::nullopt;
  return piece_of_tag(tag);
}

// Returns the text before `end`, and skips `end` as well.
std::string_view MarkupReader::up_to(std::string_view end) {
  const std::size_t found = rest_.find(end);
  const std::string_view before = rest_.substr(0, found);
  rest_.remove_prefix(found == std::string_view::npos ? rest_.size() : found + end.size());
  return before;
}

std::string xml_element(std::string_view body, std::string_view name) {
  MarkupReader reader(body);
  while (const auto piece = reader.next()) {
    if (!same_name(piece->value, name)) continue;
    if (piece->kind == MarkupPiece::empty) return {};
    if (piece->kind == MarkupPiece::open) return text_of_element(reader, name);
  }
  return {};
}

std::string text_of_markup(std::string_view document) {
  std::string text;
  std::string_view hidden;  // the element whose contents are not displayed
  MarkupReader reader(document);
  while (const auto piece = reader.next()) {
    if (!hidden.empty()) {
      if (piece->kind == MarkupPiece::close && same_name(piece->value, hidden)) hidden = {};
    } else if (is_text(*piece)) {
      text += text_of(*piece);
    } else {
      text += ' ';
      const bool unseen = same_name(piece->value, "script") || same_name(piece->value, "style");
      if (piece->kind == MarkupPiece::open && unseen) hidden = piece->value;
    }
  }
  return text;
}

}  // namespace hydra::s3
