// AWS's partitions, and the hosts at which S3 itself is reached.
#pragma once

#include <string_view>

namespace hydra::s3 {

// A partition: its accounts, keys and bucket names are separate from those of other partitions,
// where anybody may own a bucket of the same name. (Names, domains and regions are those of
// botocore's partitions.json.)
struct Partition {
  std::string_view name;    // as in ARNs: "aws", "aws-cn", …
  std::string_view domain;  // "amazonaws.com"
  std::string_view region;  // prefix of the names of its regions; '' = all others
};

// A region that matches no other partition belongs to "aws".
const Partition& partition_of_region(std::string_view region);

// Whether the text has the form of a region's name, such as "eu-central-1".
bool is_region_name(std::string_view text);

// nullptr if there is no such partition.
const Partition* find_partition(std::string_view name);

// The partition whose S3 is reached at a host (lower case, without a port), with or without a
// bucket name in front of it; nullptr if the host is not one of S3. Other hosts in AWS's domains
// (load balancers, instances, API gateways, websites) belong to AWS's customers.
const Partition* partition_of_host(std::string_view host);

// The same for hosts that take the bucket name in the path, or in front of the host. If the host
// already contains a bucket name, the first part of the path belongs to the key.
const Partition* partition_of_service(std::string_view host);

}  // namespace hydra::s3
