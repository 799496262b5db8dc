#include "tables/place.hpp"

namespace hydra::tables {
namespace {

bool same_store(const Destination& a, const Destination& b) {
  const std::string partition = s3::partition_of(a.endpoint_settings());
  if (partition != s3::partition_of(b.endpoint_settings())) return false;
  return !partition.empty() || a.endpoint == b.endpoint;
}

// Another host may belong to somebody else, for example one with the bucket's name before the
// endpoint's.
bool has_another_host(const Destination& before, const Destination& after) {
  const s3::Endpoint one = s3::resolve(before.endpoint_settings());
  const s3::Endpoint other = s3::resolve(after.endpoint_settings());
  return one.url() != other.url() && !(one.is_aws() && other.is_aws());
}

bool lets_others_read(const Destination& before, const Destination& after) {
  return before.object_headers != after.object_headers &&
         s3::gives_access(to_headers(before.object_headers), to_headers(after.object_headers));
}

}  // namespace

std::string place_of(const Destination& destination) {
  const std::string partition = s3::partition_of(destination.endpoint_settings());
  const std::string& store = partition.empty() ? destination.endpoint : partition;
  return store + '\n' + destination.bucket + '\n' + destination.prefix;
}

bool overlap(const Destination& a, const Destination& b) {
  if (a.bucket != b.bucket || !same_store(a, b)) return false;
  return a.prefix.starts_with(b.prefix) || b.prefix.starts_with(a.prefix);
}

bool is_elsewhere(const Destination& before, const Destination& after) {
  return before.bucket != after.bucket || before.prefix != after.prefix ||
         before.endpoint != after.endpoint || !same_store(before, after);
}

bool may_reach_others(const Destination& before, const Destination& after) {
  return is_elsewhere(before, after) || has_another_host(before, after) ||
         lets_others_read(before, after);
}

}  // namespace hydra::tables
