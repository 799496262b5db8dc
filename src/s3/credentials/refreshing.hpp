// Keys that are refreshed while a client needs them. Internal to the client.
#pragma once

#include <memory>
#include <optional>

#include "base/backoff.hpp"
#include "s3/credentials/fetch.hpp"
#include "s3/credentials/source.hpp"
#include "s3/session.hpp"

namespace hydra::s3::credentials {

constexpr std::int64_t renew_before = 15 * 60;  // seconds before they expire; also botocore's value

// Fetches keys from a source into a session: before the first upload, again well before they
// expire, and when the store says that they have expired. Meanwhile uploads continue with the old
// keys, as long as those are valid. Nothing here waits: poll() starts what is due, and the owner of
// the multi handle reports the end of each exchange.
class RefreshingCredentials {
 public:
  using Clock = Multi::Clock;

  RefreshingCredentials(std::shared_ptr<Source> source, Session& session, Multi& multi,
                        const std::string& ca_file, const std::string& user_agent, Backoff backoff);

  // Starts to fetch keys if that is due.
  void poll();

  // Whether there are keys to sign with now.
  bool usable() const;

  // Why there are no keys, and will be none; nothing while they may still come.
  const std::optional<Failure>& failure() const { return failure_; }

  // The store no longer accepts the keys.
  void renew() { stale_ = true; }

  // When poll() must be called even if no exchange has ended.
  std::optional<Clock::time_point> deadline() const;

  CURL* handle() const { return fetch_.handle(); }
  void finished(CURLcode result);
  void cancel() noexcept;

  const std::optional<Found>& found() const { return found_; }

 private:
  bool is_due() const;
  void act(Step step);
  void accept(Found found);
  void reject(const Broken& broken);

  std::shared_ptr<Source> source_;
  Session& session_;
  const bool store_may_be_special_;  // see Session::may_reach_special(), before any redirect
  Backoff backoff_;
  Fetch fetch_;
  std::optional<Found> found_;
  bool stale_ = false;
  std::int64_t fetched_at_ = 0;  // Unix seconds
  int attempts_ = 0;             // consecutive failures
  Clock::time_point not_before_{};
  std::optional<Failure> failure_;
};

}  // namespace hydra::s3::credentials
