// Headers that a destination adds to each of its objects, such as storage class, encryption, tags.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hydra::s3 {

using Headers = std::vector<std::pair<std::string, std::string>>;  // names in lower case

// Nothing if the header may be added, else words that complete "header name …" or "value of header
// name …". Not allowed are headers that determine the request itself (host, dates, length,
// signature, type, conditions), and those for which readers would need a key (SSE-C).
std::optional<std::string> object_header_problem(std::string_view name, std::string_view value);

// For the total size of names and values: S3's limit on user metadata, and our own on the rest.
std::optional<std::string> object_headers_problem(const Headers& headers);

// The actions that these headers need in an IAM policy in addition to s3:PutObject, and the KMS key
// for which kms:GenerateDataKey is needed.
struct HeaderRights {
  std::vector<std::string> on_object;  // "s3:PutObjectTagging", "s3:PutObjectAcl"
  std::string kms_key;                 // '' = none, or the bucket's default
};
HeaderRights rights_for(const Headers& headers);

// Whether objects with these headers are encrypted with a KMS key.
bool asks_for_a_key(const Headers& headers);

// Whether objects with the headers of `after` may be readable by somebody who could not read those
// with `before`: through another ACL or grant, through tags that a bucket policy refers to, or
// because the bucket may have another owner.
bool gives_access(const Headers& before, const Headers& after);

}  // namespace hydra::s3
