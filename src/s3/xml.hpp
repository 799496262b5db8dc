// The little XML that S3 and STS answer with, and the HTML of what stands in their place.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hydra::s3 {

// One piece of a document. Comments and processing instructions are no pieces.
struct MarkupPiece {
  enum Kind { text, cdata, open, close, empty };  // empty: <name/>
  Kind kind = text;
  std::string_view value;  // the text as it stands there, or the tag's name without its prefix
};

// Cuts a document into its pieces, from the beginning. What is no markup is text; a tag that is cut
// short is the end.
class MarkupReader {
 public:
  explicit MarkupReader(std::string_view document) : rest_(document) {}
  std::optional<MarkupPiece> next();

 private:
  std::optional<MarkupPiece> markup();
  std::string_view up_to(std::string_view end);

  std::string_view rest_;
};

// Names are compared without regard to case, as stores do not agree on it.
bool same_name(std::string_view a, std::string_view b);

// The text of the first element of this name, whatever its prefix and attributes: with the text of
// elements in it, up to its end or, in a body that was cut short, up to the next tag. Entities are
// decoded; nothing else is cleaned. '' where there is none.
std::string xml_element(std::string_view body, std::string_view name);

// The document's text without its tags, scripts and styles. Entities are decoded.
std::string text_of_markup(std::string_view document);

}  // namespace hydra::s3
