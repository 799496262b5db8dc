// The rules for names of buckets and regions, and for prefixes.
//
// The *_problem functions return nothing if the value is valid, else words that complete "bucket
// name …", such as "must be 3 to 63 characters long". They never repeat the value.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "s3/endpoint.hpp"

namespace hydra::s3 {

// AWS's rules for names of general purpose buckets (User Guide, "Bucket naming rules").
std::optional<std::string> bucket_name_problem(std::string_view name);

// A sentence that says which name to use instead.
std::string bucket_name_hint(std::string_view name);

// Whether the name is an access point alias: the first 20 characters of the access point's name, a
// part that AWS generates, and "-s3alias".
bool is_access_point(std::string_view bucket);
std::string access_point_name(std::string_view alias);  // as far as the alias contains it

std::optional<std::string> region_problem(std::string_view region);

// The same, and that a region of AWS has the form of one.
std::optional<std::string> region_problem(const EndpointSettings& settings);

// An endpoint that already contains the bucket name: objects would be stored below
// <bucket>/<bucket>/, or nowhere. A store's own host may contain the same name as the bucket; with
// Addressing::path, it is taken to be that.
struct BucketInEndpoint {
  std::string problem;  // completes "endpoint …"
  bool may_be = false;  // it is allowed with Addressing::path
};
std::optional<BucketInEndpoint> bucket_in_endpoint(const EndpointSettings& settings);

// '' is valid, and so is a '/' at the end.
std::optional<std::string> prefix_problem(std::string_view prefix);

}  // namespace hydra::s3
