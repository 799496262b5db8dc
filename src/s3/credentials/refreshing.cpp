#include "s3/credentials/refreshing.hpp"

#include <algorithm>
#include <utility>

namespace hydra::s3::credentials {

namespace {

constexpr std::int64_t too_late = 30;  // seconds before they expire: no longer used
// a source whose keys expire sooner is not asked more often
constexpr std::int64_t shortest_life = 60;
constexpr int most_attempts = 4;
constexpr std::chrono::milliseconds later{200};

}  // namespace

RefreshingCredentials::RefreshingCredentials(std::shared_ptr<Source> source, Session& session,
                                             Multi& multi, const std::string& ca_file,
                                             const std::string& user_agent, Backoff backoff)
    : source_(std::move(source)),
      session_(session),
      store_may_be_special_(session.may_reach_special()),
      backoff_(std::move(backoff)),
      fetch_(ca_file, user_agent, multi) {}

void RefreshingCredentials::poll() {
  if (!fetch_.under_way() && !failure_ && Clock::now() >= not_before_ && is_due())
    act(source_->begin(session_.now()));
}

bool RefreshingCredentials::is_due() const {
  if (!found_ || stale_) return true;
  if (!found_->expires_at) return false;
  const std::int64_t now = session_.now();
  return now >= *found_->expires_at - renew_before && now >= fetched_at_ + shortest_life;
}

bool RefreshingCredentials::usable() const {
  if (!found_ || stale_) return false;
  return !found_->expires_at || session_.now() < *found_->expires_at - too_late;
}

std::optional<RefreshingCredentials::Clock::time_point> RefreshingCredentials::deadline() const {
  if (fetch_.under_way() || failure_ || !is_due()) return std::nullopt;
  return not_before_;
}

void RefreshingCredentials::finished(CURLcode result) {
  act(source_->answered(fetch_.finish(result)));
}

void RefreshingCredentials::cancel() noexcept {
  fetch_.give_up();
}

void RefreshingCredentials::act(Step step) {
  if (auto* request = std::get_if<HttpRequest>(&step)) {
    const bool special_allowed = !request->to_store || store_may_be_special_;
    fetch_.begin(std::move(*request), special_allowed);
  } else if (auto* found = std::get_if<Found>(&step)) {
    accept(std::move(*found));
  } else if (std::holds_alternative<Later>(step)) {
    not_before_ = Clock::now() + later;
  } else if (const auto* absent = std::get_if<Absent>(&step)) {
    reject({absent->why, "Check the environment of the server.", false});
  } else {
    reject(std::get<Broken>(step));
  }
}

void RefreshingCredentials::accept(Found found) {
  if (!can_be_sent(found.keys))
    return reject({found.source + ": the keys are not valid", "", false});
  if (found.expires_at && *found.expires_at - too_late <= session_.now())
    return reject({found.source + ": the keys have expired already", "", true});
  attempts_ = 0;
  stale_ = false;
  fetched_at_ = session_.now();
  session_.set_credentials(found.keys);
  found.keys = {};  // the session has them
  found_ = std::move(found);
}

// Keys that are still valid remain in use if the source fails.
void RefreshingCredentials::reject(const Broken& broken) {
  ++attempts_;
  if (usable()) {
    not_before_ = Clock::now() + std::chrono::seconds(shortest_life);
  } else if (broken.heals && attempts_ < most_attempts) {
    not_before_ = Clock::now() + backoff_.delay(attempts_);
  } else {
    failure_ = credentials_failure(broken.why, broken.hint);
  }
}

}  // namespace hydra::s3::credentials
