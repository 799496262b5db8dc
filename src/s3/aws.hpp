// AWS's partitions, and the hosts at which S3 itself is reached.
#pragma once

#include <string_view>

namespace hydra::s3 {

// A world of its own: accounts, keys and names of buckets of one partition mean nothing in another,
// where anybody may own a bucket of the same name. (Names, domains and regions are those of
// botocore's partitions.json.)
struct Partition {
  std::string_view name;    // as in ARNs: "aws", "aws-cn", …
  std::string_view domain;  // "amazonaws.com"
  std::string_view region;  // how names of its regions begin; '' = all others
};

// Never nothing: what is no region of another partition belongs to "aws".
const Partition& partition_of_region(std::string_view region);

// "eu-central-1": whether it has the form of a region's name.
bool is_region_name(std::string_view text);

// nullptr where there is no such partition.
const Partition* find_partition(std::string_view name);

// The partition whose S3 answers at a host (lower case, without a port), with or without a bucket's
// name in front of it; nullptr where the host is not S3's own. Other hosts below AWS's domains
// belong to whoever rents them: load balancers, instances, API gateways, websites.
const Partition* partition_of_host(std::string_view host);

// The same for hosts that take the bucket's name in the path, or in front of them. Where a bucket's
// name is in the host already, the path's first part is no bucket but part of the key.
const Partition* partition_of_service(std::string_view host);

}  // namespace hydra::s3
