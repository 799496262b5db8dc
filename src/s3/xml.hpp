// The XML in responses of S3 and STS, and HTML that other servers send instead.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hydra::s3 {

// One piece of a document. Comments and processing instructions are skipped.
struct MarkupPiece {
  enum Kind { text, cdata, open, close, empty };  // empty: <name/>
  Kind kind = text;
  std::string_view value;  // the raw text, or the tag's name without its prefix
};

// Splits a document into its pieces, from the beginning. Anything that is not markup is text; a
// truncated tag ends the document.
class MarkupReader {
 public:
  explicit MarkupReader(std::string_view document) : rest_(document) {}
  std::optional<MarkupPiece> next();

 private:
  std::optional<MarkupPiece> markup();
  std::string_view up_to(std::string_view end);

  std::string_view rest_;
};

// Compares names without regard to case, because stores differ in it.
bool same_name(std::string_view a, std::string_view b);

// The text of the first element of this name, with any prefix and attributes. It includes the text
// of elements inside it, up to its end or, in a truncated body, up to the next tag. Entities are
// decoded; nothing else is cleaned. '' if there is none.
std::string xml_element(std::string_view body, std::string_view name);

// The document's text without its tags, scripts and styles. Entities are decoded.
std::string text_of_markup(std::string_view document);

}  // namespace hydra::s3
