// Where, when and as whom requests are made, and what the store's answers put right of that.
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

// Shared by all uploads of a client. What a store's answer puts right (its time, the bucket's
// region or endpoint) is put right for all of them, for as long as the session lives.
class Session {
 public:
  // How often each thing was put right, by Fix.
  using Corrections = std::array<int, 4>;

  // now: Unix seconds by this machine's clock. Throws std::runtime_error when the target's endpoint
  // is no URL, or where the places do not allow it.
  Session(EndpointSettings target, Places places, Credentials credentials,
          std::function<std::int64_t()> now);

  const Endpoint& endpoint() const { return endpoint_; }
  const std::string& region() const { return target_.region; }
  bool host_has_region() const { return target_.endpoint.empty(); }
  const Credentials& credentials() const { return credentials_; }
  std::int64_t now() const { return now_() + clock_offset_; }  // by the store's clock
  const Corrections& corrections() const { return corrections_; }

  // Whether the endpoint may have a special address, see address.hpp.
  bool may_reach_special() const { return permit_ == Permit::any_address; }

  // Whether the attempt that failed was signed by the time that the answer tells: the store's clock
  // is not the reason.
  bool clocks_agree(const Failure& failure) const;

  void set_credentials(Credentials credentials);

  // Puts right what the failure of an attempt on `key` tells. corrections: those that had been made
  // when the attempt began. True when another attempt would be made otherwise than that one, and
  // than any before. (Fix::credentials is not put right here: see set_credentials().)
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
