// The endpoint, region, clock and keys of requests, and corrections of them from responses.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "s3/credentials.hpp"
#include "s3/endpoint.hpp"
#include "s3/errors.hpp"
#include "s3/places.hpp"

namespace hydra::s3 {

// Shared by all uploads of a client. A correction from a store's response (its time, the bucket's
// region or endpoint) applies to all of them while the session exists.
class Session {
 public:
  // How often each correction was made, by Fix.
  using Corrections = std::array<int, 4>;

  // now: Unix seconds by this machine's clock. Throws std::runtime_error if the target's endpoint
  // is not a valid URL, or the places do not allow it.
  Session(EndpointSettings target, Places places, std::function<std::int64_t()> now);

  const Endpoint& endpoint() const { return endpoint_; }
  const std::string& region() const { return target_.region; }
  bool host_has_region() const { return target_.endpoint.empty(); }
  const Credentials& credentials() const { return credentials_; }
  std::int64_t now() const { return now_() + clock_offset_; }  // by the store's clock
  const Corrections& corrections() const { return corrections_; }

  // Whether the endpoint may have a special address, see address.hpp.
  bool may_reach_special() const { return permit_ == Permit::any_address; }

  // Whether the failed attempt was signed with the time that the response gives: then the clock is
  // not the cause.
  bool clocks_agree(const Failure& failure) const;

  void set_credentials(Credentials credentials);

  // Makes the correction that follows from the failure of an attempt on `key`. corrections: those
  // made before the attempt began. True if another attempt would differ from that one and all
  // earlier ones. (Fix::credentials is not handled here: see set_credentials().)
  bool correct(const Failure& failure, const Corrections& corrections, std::string_view key);

 private:
  bool correct_clock(const Failure& failure);
  bool correct_place(const Failure& failure, std::string_view key);
  bool take_region(const std::string& region);
  bool move(const Failure& failure, std::string_view key);
  bool take_endpoint(const Endpoint& endpoint);

  EndpointSettings target_;
  Places places_;
  Credentials credentials_;
  std::function<std::int64_t()> now_;
  Permit permit_;
  Endpoint endpoint_;
  std::set<std::pair<std::string, std::string>> places_seen_;  // URL and region
  std::int64_t clock_offset_ = 0;
  Corrections corrections_{};
};

}  // namespace hydra::s3
