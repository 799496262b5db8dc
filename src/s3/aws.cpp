#include "s3/aws.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/split.hpp"

namespace hydra::s3 {

namespace {

constexpr Partition partitions[] = {
    {"aws-cn", "amazonaws.com.cn", "cn-"},       {"aws-us-gov", "amazonaws.com", "us-gov-"},
    {"aws-eusc", "amazonaws.eu", "eusc-"},       {"aws-iso", "c2s.ic.gov", "us-iso-"},
    {"aws-iso-b", "sc2s.sgov.gov", "us-isob-"},  {"aws-iso-e", "cloud.adc-e.uk", "eu-isoe-"},
    {"aws-iso-f", "csp.hci.ic.gov", "us-isof-"}, {"aws", "amazonaws.com", ""},
};

using Labels = std::vector<std::string_view>;

bool is_s3(std::string_view label) {
  return label == "s3" || label == "s3-fips";
}

std::optional<std::string_view> region_or_none(std::string_view label) {
  return is_region_name(label) ? std::optional(label) : std::nullopt;
}

// "s3", "s3-eu-west-1", "s3-fips-us-gov-west-1", "s3-accelerate", "s3-external-1".
std::optional<std::string_view> region_of_label(std::string_view label) {
  if (label == "s3" || label == "s3-accelerate" || label == "s3-external-1") return "";
  for (std::string_view start : {"s3-fips-", "s3-"}) {
    if (label.starts_with(start)) return region_or_none(label.substr(start.size()));
  }
  return std::nullopt;
}

// The region in the name of an S3 host, '' if it contains none; nothing if the host is not one of
// S3. The labels are those before the domain (S3 User Guide, "Amazon S3 endpoints and quotas", "AWS
// PrivateLink").
std::optional<std::string_view> region_of_service(const Labels& labels) {
  switch (labels.size()) {
    case 1:
      return region_of_label(labels[0]);
    case 2:
      if (labels[0] == "s3-accelerate" && labels[1] == "dualstack") return "";
      return is_s3(labels[0]) ? region_or_none(labels[1]) : std::nullopt;
    case 3:
      return is_s3(labels[0]) && labels[1] == "dualstack" ? region_or_none(labels[2])
                                                          : std::nullopt;
    case 5:
      return labels[0] == "bucket" && labels[1].starts_with("vpce-") && labels[2] == "s3" &&
                     labels[4] == "vpce"
                 ? region_or_none(labels[3])
                 : std::nullopt;
    default:
      return std::nullopt;
  }
}

// The labels before the domain; nothing for other hosts.
std::optional<Labels> labels_below(std::string_view host, std::string_view domain) {
  if (host.size() <= domain.size() + 1 || !host.ends_with(domain)) return std::nullopt;
  host.remove_suffix(domain.size());
  if (host.back() != '.') return std::nullopt;
  host.remove_suffix(1);
  return split(host, '.');
}

// Two partitions share one domain: the region decides.
const Partition* partition_of(std::string_view domain, std::string_view region) {
  const Partition& partition = partition_of_region(region);
  if (partition.domain == domain) return &partition;
  const auto found =
      std::find_if(std::begin(partitions), std::end(partitions), [&](const Partition& other) {
        return other.domain == domain && (region.empty() || other.region.empty());
      });
  return found == std::end(partitions) ? nullptr : found;
}

}  // namespace

// A short geographic prefix, at least one more word, and a number. ("website-…" is another
// service.)
bool is_region_name(std::string_view text) {
  const auto parts = split(text, '-');
  const auto consists_of = [](std::string_view part, char first, char last) {
    return !part.empty() &&
           std::all_of(part.begin(), part.end(), [=](char c) { return c >= first && c <= last; });
  };
  return parts.size() >= 3 && parts[0].size() <= 4 && consists_of(parts.back(), '0', '9') &&
         std::all_of(parts.begin(), parts.end() - 1,
                     [=](std::string_view part) { return consists_of(part, 'a', 'z'); });
}

const Partition& partition_of_region(std::string_view region) {
  return *std::find_if(
      std::begin(partitions), std::end(partitions),
      [&](const Partition& partition) { return region.starts_with(partition.region); });
}

const Partition* find_partition(std::string_view name) {
  const auto found =
      std::find_if(std::begin(partitions), std::end(partitions),
                   [&](const Partition& partition) { return partition.name == name; });
  return found == std::end(partitions) ? nullptr : found;
}

const Partition* partition_of_service(std::string_view host) {
  for (const Partition& partition : partitions) {
    const auto labels = labels_below(host, partition.domain);
    const auto region = labels ? region_of_service(*labels) : std::nullopt;
    if (region) return partition_of(partition.domain, *region);
  }
  return nullptr;
}

const Partition* partition_of_host(std::string_view host) {
  while (true) {
    if (const Partition* partition = partition_of_service(host)) return partition;
    const std::size_t dot = host.find('.');
    if (dot == std::string_view::npos) return nullptr;
    host.remove_prefix(dot + 1);
  }
}

}  // namespace hydra::s3
