// Whether a store's word that it has stored an object can be believed.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "s3/errors.hpp"

namespace hydra::s3 {

// What was sent, as the answer may tell it.
struct SentBody {
  std::string checksum;  // value of x-amz-checksum-sha256; '' = no such header was sent
  std::string md5;       // 32 hexadecimal digits; '' = not known
};

// What is wrong with an answer of 200 to 299 to a PUT from `host`; nothing = the object is stored,
// as it was sent. S3 answers with 200, an ETag, and no body ("PutObject" in its API Reference), and
// so do the stores that speak its language; a page to sign in, a WebDAV server or a cache do not.
//
// The checksum comes back as it was sent. The ETag of an object that is stored in one piece is the
// MD5 of its bytes, unless it was encrypted with a key of a KMS.
std::optional<Failure> not_stored(const Answer& answer, std::string_view host,
                                  const SentBody& sent);

// Whether the answer's ETag has the form of an MD5, and nothing says that it is none.
bool has_md5(const Answer& answer);

// The value of x-amz-checksum-sha256: base64 of what is given as 64 hexadecimal digits.
std::string checksum_of(std::string_view sha256);

}  // namespace hydra::s3
