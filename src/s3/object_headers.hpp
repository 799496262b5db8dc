// Headers that a destination adds to each of its objects: storage class, encryption, tags, ….
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hydra::s3 {

using Headers = std::vector<std::pair<std::string, std::string>>;  // names in lower case

// Nothing when the header may be added, else words that complete "header name …" or "value of
// header name …". What decides about the request itself (host, dates, length, signature, type,
// conditions) is not for settings, nor is anything that would need a reader to hold a key (SSE-C).
std::optional<std::string> object_header_problem(std::string_view name, std::string_view value);

// Their names and values together: S3's limit on user metadata, ours on the rest.
std::optional<std::string> object_headers_problem(const Headers& headers);

// The actions that these headers need in an IAM policy besides s3:PutObject, and whether one of
// them is kms:GenerateDataKey on a key.
struct HeaderRights {
  std::vector<std::string> on_object;  // "s3:PutObjectTagging", "s3:PutObjectAcl"
  std::string kms_key;                 // '' = none, or the bucket's default
};
HeaderRights rights_for(const Headers& headers);

// Whether these headers have objects encrypted with a key of a KMS.
bool asks_for_a_key(const Headers& headers);

// Whether objects with the headers of `after` may be read by somebody who could not read those with
// `before`: by another ACL or grant, by tags that a bucket's policy asks for, or because the bucket
// may be another owner's.
bool gives_access(const Headers& before, const Headers& after);

}  // namespace hydra::s3
