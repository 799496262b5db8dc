// The little XML that S3 and STS answer with.
#pragma once

#include <string>
#include <string_view>

namespace hydra::s3 {

// The text of the first element of this name, up to the next tag whatever it is: a body that was
// cut short, or that nests elements, gives little rather than the wrong thing. Entities are
// decoded; nothing else is cleaned. '' where there is none.
std::string xml_element(std::string_view body, std::string_view name);

}  // namespace hydra::s3
