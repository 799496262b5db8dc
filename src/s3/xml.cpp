#include "s3/xml.hpp"

#include <charconv>
#include <cstdint>
#include <utility>

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

// The name between '&' and ';'. False when it is no entity.
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

}  // namespace

std::string xml_element(std::string_view body, std::string_view name) {
  const std::string tag = '<' + std::string(name) + '>';
  const std::size_t start = body.find(tag);
  if (start == std::string_view::npos) return {};
  const std::string_view rest = body.substr(start + tag.size());
  return decode_entities(rest.substr(0, rest.find('<')));
}

}  // namespace hydra::s3
