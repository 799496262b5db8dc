#include "s3/session.hpp"

#include <cstdlib>
#include <utility>

namespace hydra::s3 {

namespace {

// The store's clock and the one that we sign by already agree as well as this: not the reason.
constexpr std::int64_t same_time = 60;

}  // namespace

Session::Session(EndpointSettings target, Credentials credentials,
                 std::function<std::int64_t()> now)
    : target_(std::move(target)),
      credentials_(std::move(credentials)),
      now_(std::move(now)),
      endpoint_(resolve(target_)) {}

void Session::set_credentials(Credentials credentials) {
  credentials_ = std::move(credentials);
  ++lessons_[static_cast<std::size_t>(Fix::credentials)];
}

bool Session::learn(const Failure& failure, const Lessons& lessons, std::string_view key) {
  const std::size_t what = static_cast<std::size_t>(failure.fix);
  // Another upload's failure taught it meanwhile.
  if (lessons_[what] != lessons[what]) return true;
  const bool learnt = failure.fix == Fix::clock   ? learn_clock(failure)
                      : failure.fix == Fix::place ? learn_place(failure, key)
                                                  : false;
  if (learnt) ++lessons_[what];
  return learnt;
}

bool Session::learn_clock(const Failure& failure) {
  if (!failure.date || std::abs(*failure.date - now()) < same_time) return false;
  clock_offset_ = *failure.date - now_();
  return true;
}

bool Session::learn_place(const Failure& failure, std::string_view key) {
  bool moved = false;
  if (!failure.region.empty() && failure.region != target_.region) {
    target_.region = failure.region;
    moved = true;
    if (target_.endpoint.empty()) {  // AWS: the region is in the host's name
      endpoint_ = resolve(target_);
      return true;
    }
  }
  if (const auto redirected = redirect(endpoint_, target_.bucket, failure.location, key)) {
    endpoint_ = *redirected;
    moved = true;
  }
  return moved;
}

}  // namespace hydra::s3
