// The rules for names of buckets and regions, and for prefixes.
//
// The *_problem functions return nothing when all is well, else words that complete "bucket
// name …": "must be 3 to 63 characters long". They never repeat the value.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "s3/endpoint.hpp"

namespace hydra::s3 {

// AWS's rules for names of general purpose buckets (User Guide, "Bucket naming rules").
std::optional<std::string> bucket_name_problem(std::string_view name);

// What to give instead, as a sentence.
std::string bucket_name_hint(std::string_view name);

// Whether the bucket is named by the alias of an access point: the first 20 characters of the
// access point's name, a part of AWS's own, and "-s3alias".
bool is_access_point(std::string_view bucket);
std::string access_point_name(std::string_view alias);  // as much of it as the alias holds

std::optional<std::string> region_problem(std::string_view region);

// The same, and that a region of AWS has the form of one.
std::optional<std::string> region_problem(const EndpointSettings& settings);

// An endpoint that holds the bucket's name already: objects would be stored below
// <bucket>/<bucket>/, or nowhere. A store's own host may be named like the bucket; whoever says
// that the bucket goes into the path says that this one is.
struct BucketInEndpoint {
  std::string problem;  // completes "endpoint …"
  bool may_be = false;  // it is no problem with Addressing::path
};
std::optional<BucketInEndpoint> bucket_in_endpoint(const EndpointSettings& settings);

// '' is fine. A '/' at the end is, too.
std::optional<std::string> prefix_problem(std::string_view prefix);

}  // namespace hydra::s3
