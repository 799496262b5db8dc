// Checks whether a store's success response proves that the object was stored.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "s3/errors.hpp"

namespace hydra::s3 {

// The digests of what was sent, for comparison with the response.
struct SentBody {
  std::string checksum;  // value of x-amz-checksum-sha256; '' = the header was not sent
  std::string md5;       // 32 hexadecimal digits; '' = unknown
};

// What is wrong with a response of 200 to 299 to a PUT from `host`; nothing if the object was
// stored unchanged. S3 responds with 200, an ETag, and no body ("PutObject" in its API Reference),
// and so do compatible stores; a login page, a WebDAV server or a cache do not.
//
// The checksum is returned as it was sent. The ETag of an object that is stored in one part is the
// MD5 of its bytes, unless it was encrypted with a KMS key.
std::optional<Failure> not_stored(const Answer& answer, std::string_view host,
                                  const SentBody& sent);

// Whether the response's ETag has the form of an MD5, and no header says that it is not one.
bool has_md5(const Answer& answer);

// The value of x-amz-checksum-sha256: base64 of a digest given as 64 hexadecimal digits.
std::string checksum_of(std::string_view sha256);

}  // namespace hydra::s3
