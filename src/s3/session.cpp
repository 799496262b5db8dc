#include "s3/session.hpp"

#include <cstdlib>
#include <stdexcept>
#include <utility>

#include "s3/bucket_rules.hpp"

namespace hydra::s3 {

namespace {

// If the store's clock and the one used for signing differ by no more than this, the clock is not
// the cause.
constexpr std::int64_t same_time = 60;

}  // namespace

Session::Session(EndpointSettings target, Places places, std::function<std::int64_t()> now)
    : target_(std::move(target)),
      places_(std::move(places)),
      now_(std::move(now)),
      permit_(places_.permit(target_)),
      endpoint_(resolve(target_)) {
  places_seen_.emplace(endpoint_.url(), target_.region);
  if (permit_ == Permit::none) throw std::runtime_error("data may not go to the endpoint's bucket");
}

void Session::set_credentials(Credentials credentials) {
  credentials_ = std::move(credentials);
  ++corrections_[static_cast<std::size_t>(Fix::credentials)];
}

bool Session::correct(const Failure& failure, const Corrections& corrections,
                      std::string_view key) {
  const std::size_t what = static_cast<std::size_t>(failure.fix);
  // Another upload's failure has caused the correction meanwhile.
  if (corrections_[what] != corrections[what]) return true;
  const bool corrected = failure.fix == Fix::clock   ? correct_clock(failure)
                         : failure.fix == Fix::place ? correct_place(failure, key)
                                                     : false;
  if (corrected) ++corrections_[what];
  return corrected;
}

bool Session::clocks_agree(const Failure& failure) const {
  return failure.date && std::abs(*failure.date - now()) < same_time;
}

bool Session::correct_clock(const Failure& failure) {
  if (!failure.date || clocks_agree(failure)) return false;
  clock_offset_ = *failure.date - now_();
  return true;
}

// A redirect may lead to a host that requires another region, and that region to yet another host;
// but no place is used twice.
bool Session::correct_place(const Failure& failure, std::string_view key) {
  EndpointSettings target = target_;
  Endpoint endpoint = endpoint_;
  const Permit permit = permit_;
  if (!move(failure, key)) return false;
  if (places_seen_.emplace(endpoint_.url(), target_.region).second) return true;
  target_ = std::move(target);
  endpoint_ = std::move(endpoint);
  permit_ = permit;
  return false;
}

bool Session::move(const Failure& failure, std::string_view key) {
  bool moved = false;
  if (!failure.region.empty() && failure.region != target_.region) {
    moved = take_region(failure.region);
    if (target_.endpoint.empty()) return moved;  // AWS: the region is in the host's name
  }
  const auto redirected = redirect(endpoint_, target_.bucket, failure.location, key);
  return (redirected && take_endpoint(*redirected)) || moved;
}

// If the host's name contains the region, another region means another host.
bool Session::take_region(const std::string& region) {
  EndpointSettings target = target_;
  target.region = region;
  if (target.endpoint.empty()) {
    if (region_problem(target)) return false;
    const Permit permit = places_.permit(target);
    if (permit == Permit::none || partition_of(target) != partition_of(target_)) return false;
    permit_ = permit;
    endpoint_ = resolve(target);
  }
  target_ = std::move(target);
  return true;
}

// A store may redirect only to places where the destination would be allowed.
bool Session::take_endpoint(const Endpoint& endpoint) {
  const Permit permit = places_.permit(endpoint, target_.bucket);
  if (permit == Permit::none) return false;
  permit_ = permit;
  endpoint_ = endpoint;
  return true;
}

}  // namespace hydra::s3
