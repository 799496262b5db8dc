// AWS Signature Version 4 over plain values, in the stages that AWS documents ("Signature
// calculations for the Authorization header", S3 API Reference).
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "s3/credentials.hpp"

namespace hydra::s3 {

// The request that is signed, exactly as it is sent: path and query are already percent-encoded,
// and every header given is signed (Host is required). Header names may have any case; values are
// used unchanged.
struct Request {
  std::string method;
  std::string path;   // '' counts as "/"
  std::string query;  // without '?', in any order
  std::vector<std::pair<std::string, std::string>> headers;
  std::string payload_sha256;  // 64 hexadecimal digits, or "UNSIGNED-PAYLOAD"
};

struct Scope {
  std::string date;  // from amz_date()
  std::string region;
  std::string service = "s3";
};

std::string canonical_request(const Request& request);
std::string string_to_sign(const Request& request, const Scope& scope);

// 64 hexadecimal digits. A session token must be among the headers.
std::string signature(const Request& request, const Scope& scope, const Credentials& credentials);

// The value of the Authorization header.
std::string authorization(const Request& request, const Scope& scope,
                          const Credentials& credentials);

}  // namespace hydra::s3
