#include "s3/client.hpp"

#include <algorithm>
#include <deque>
#include <random>
#include <stdexcept>
#include <utility>

#include "base/backoff.hpp"
#include "s3/credentials/refreshing.hpp"
#include "s3/header_value.hpp"
#include "s3/multi.hpp"
#include "s3/session.hpp"
#include "s3/signals.hpp"
#include "s3/transfer.hpp"

namespace hydra::s3 {

namespace {

using Clock = Multi::Clock;
using std::chrono::milliseconds;

constexpr std::size_t most_moves = 3;

constexpr const char* old_signature =
    "The clocks agree: this server was paused, or an attempt took longer than the 15 minutes for "
    "which it is signed. Lower hydra_export.file_size where the network is slow.";

std::int64_t system_now() {
  using namespace std::chrono;
  return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

void require_header_value(const std::string& value, const char* what) {
  if (!is_header_value(value))
    throw std::runtime_error(std::string(what) + " contains characters that a header cannot hold");
}

Options checked(Options options) {
  if (!options.source) throw std::logic_error("a client needs a source of credentials");
  require_header_value(options.target.region, "region");
  require_header_value(options.user_agent, "user agent");
  for (const auto& [name, value] : options.object_headers) {
    if (object_header_problem(name, value)) throw std::runtime_error("a header cannot be set");
  }
  options.max_attempts = std::max(1, options.max_attempts);
  options.concurrency = std::max(1, options.concurrency);
  if (!options.now) options.now = system_now;
  return options;
}

}  // namespace

void initialize_library() {
  const SignalsBlocked blocked;
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
    throw std::runtime_error("libcurl could not be initialized");
}

// A job is in one of four states: queued, in flight (owned by an active transfer), waiting for its
// next attempt, or turned into an outcome. Transfers move between active and idle; there are at
// most `concurrency` of them.
class Client::Impl {
 public:
  explicit Impl(Options options)
      : options_(checked(std::move(options))),
        session_(options_.target, options_.places, options_.now),
        backoff_(backoff()),
        multi_(options_.concurrency),
        keys_(options_.source, session_, multi_, options_.ca_file, options_.user_agent, backoff()) {
    idle_.reserve(static_cast<std::size_t>(options_.concurrency));  // so that cancel() cannot fail
  }

  ~Impl() { cancel(); }

  void put(Upload upload) {
    if (pending() == 0) moved_at_ = Clock::now();
    require_header_value(upload.content_type, "content type");
    require_header_value(upload.sha256, "SHA-256");
    Job job;
    job.upload = std::move(upload);
    queue_.push_back(std::move(job));
    start_what_is_due();
  }

  void perform() {
    multi_.act_on_ready();
    settle();
  }

  void ready(int fd, bool readable, bool writable) {
    multi_.act(fd, (readable ? CURL_CSELECT_IN : 0) | (writable ? CURL_CSELECT_OUT : 0));
    settle();
  }

  std::optional<milliseconds> timeout() const {
    std::optional<Clock::time_point> next = multi_.deadline();
    if (pending() > 0 || keep_keys_) {
      const auto due = keys_.deadline();
      if (due && (!next || *due < *next)) next = due;
    }
    const bool places =
        active_.size() < static_cast<std::size_t>(options_.concurrency) && keys_.usable();
    for (const Waiting& waiting : waiting_) {
      if (places && (!next || waiting.due < *next)) next = waiting.due;
    }
    if (!next) return std::nullopt;
    // Rounded up, so that something is due after the wait.
    const auto left = std::chrono::ceil<milliseconds>(*next - Clock::now());
    return std::max(left, milliseconds{0});
  }

  void cancel() noexcept {
    keys_.cancel();
    for (auto& transfer : active_) {
      multi_.remove(transfer->handle());
      transfer->release();
    }
    idle_.insert(idle_.end(), std::make_move_iterator(active_.begin()),
                 std::make_move_iterator(active_.end()));
    active_.clear();
    queue_.clear();
    waiting_.clear();
    outcomes_.clear();
  }

  std::optional<Clock::time_point> quiet_since() const {
    if (pending() == 0) return std::nullopt;
    Clock::time_point since = moved_at_;
    for (const auto& transfer : active_)
      since = std::max(since, transfer->moved_at());
    return since;
  }

  // Jobs in flight are owned by their transfers; a waiting one is noticed soon enough.
  std::optional<Trouble> trouble() const {
    if (waiting_.empty()) return std::nullopt;
    const Job& job = waiting_.front().job;
    return Trouble{job.upload.tag, job.upload.key, *job.failure, job.attempts};
  }

  void set_conditional(bool conditional) { options_.conditional = conditional; }
  std::size_t pending() const { return queue_.size() + active_.size() + waiting_.size(); }
  std::vector<Outcome> take_outcomes() { return std::exchange(outcomes_, {}); }
  const Multi& multi() const { return multi_; }

  void keep_keys(bool keep) {
    keep_keys_ = keep;
    start_what_is_due();
  }

  std::optional<credentials::Found> keys() const {
    if (!keys_.usable()) return std::nullopt;
    credentials::Found found = *keys_.found();
    found.keys = session_.credentials();
    return found;
  }

  std::optional<Failure> keys_failure() const { return keys_.failure(); }
  bool keys_change() const { return options_.source->changes(); }

  void renew_keys() {
    keys_.renew();
    start_what_is_due();
  }

  Identity identity() const {
    Identity identity;
    identity.endpoint = session_.endpoint().url();
    identity.region = session_.region();
    if (const auto& found = keys_.found()) {
      identity.source = found->source;
      identity.expires_at = found->expires_at;
    }
    return identity;
  }

 private:
  struct Waiting {
    Clock::time_point due;
    Job job;
  };

  // Starting an upload sets libcurl's timer to now, so a second round connects at once. The number
  // of rounds is limited, so that a scanning caller is not delayed.
  void settle() {
    constexpr int rounds = 4;
    for (int round = 0; round < rounds; ++round) {
      const bool ran = multi_.run_timer();
      collect();
      start_what_is_due();
      if (!ran) return;
    }
  }

  void collect() {
    while (const auto done = multi_.next_done()) {
      if (done->handle == keys_.handle()) {
        keys_.finished(done->result);
        continue;
      }
      const auto found = std::find_if(active_.begin(), active_.end(), [&](const auto& transfer) {
        return transfer->handle() == done->handle;
      });
      multi_.remove(done->handle);
      std::optional<Failure> failure = (*found)->finish(done->result);
      moved_at_ = std::max(moved_at_, failure ? (*found)->moved_at() : Clock::now());
      Job job = (*found)->release();
      const std::string etag = (*found)->etag();
      idle_.push_back(std::move(*found));
      active_.erase(found);
      if (failure)
        failed(std::move(job), std::move(*failure));
      else
        end(std::move(job), true, etag);
    }
  }

  void failed(Job job, Failure failure) {
    if (is_old_signature(job, failure)) {
      failure.action = Action::retry;
      failure.advice = old_signature;
    }
    if (options_.conditional && failure.exists() && is_success(job))
      return end(std::move(job), true, "");
    job.perhaps_stored = job.perhaps_stored || failure.perhaps_stored;
    job.damaged = job.damaged || failure.damaged;
    const auto wait = delay_before_another(job, failure);
    // A failure that a retry cannot resolve is more informative than the one that caused the first
    // retry.
    const bool hopeless = !wait && failure.action != Action::retry;
    if (!job.failure || hopeless) job.failure = std::move(failure);
    if (!wait) return end(std::move(job), false, "");
    waiting_.push_back({Clock::now() + *wait, std::move(job)});
  }

  // Whether an existing object with the job's key means success.
  static bool is_success(const Job& job) {
    const Existing existing = job.upload.existing;
    return existing == Existing::welcome ||
           (existing == Existing::ours_if_lost && job.perhaps_stored);
  }

  // The wait before another attempt; nothing = there is none. An attempt after a correction follows
  // at once, and is not counted.
  std::optional<milliseconds> delay_before_another(Job& job, const Failure& failure) {
    if (failure.action == Action::fix) {
      if (!put_right(job, failure)) return std::nullopt;
      job.fixed.insert(failure.fix);
      return milliseconds{0};
    }
    const int attempts = job.attempts - static_cast<int>(job.fixed.size());
    if (failure.action != Action::retry || attempts >= options_.max_attempts) return std::nullopt;
    const milliseconds asked = failure.retry_after.value_or(std::chrono::seconds{0});
    return std::max(backoff_.delay(attempts), std::min(asked, options_.longest_retry_after));
  }

  // Each correction is made once, except for the place: one response gives the host, the next its
  // region.
  bool put_right(Job& job, const Failure& failure) {
    const std::size_t limit = failure.fix == Fix::place ? most_moves : 1;
    if (job.fixed.count(failure.fix) >= limit) return false;
    if (failure.fix == Fix::credentials && renew_credentials(job)) return true;
    return session_.correct(failure, job.corrections, job.upload.key);
  }

  // The store says that the signature is too old, although both clocks agree: the machine was
  // paused, or the upload took too long. The next attempt is signed again.
  bool is_old_signature(const Job& job, const Failure& failure) const {
    constexpr std::size_t clock = static_cast<std::size_t>(Fix::clock);
    return failure.fix == Fix::clock && session_.corrections()[clock] == job.corrections[clock] &&
           session_.clocks_agree(failure);
  }

  void end(Job job, bool ok, const std::string& etag) {
    Outcome outcome;
    outcome.tag = job.upload.tag;
    outcome.key = std::move(job.upload.key);
    outcome.ok = ok;
    outcome.etag = etag;
    outcome.attempts = job.attempts;
    outcome.bytes = job.upload.body->size();
    outcome.failure = std::move(job.failure);
    outcomes_.push_back(std::move(outcome));
  }

  // True if other keys than the job's will be available.
  bool renew_credentials(const Job& job) {
    if (!keys_change()) return false;
    constexpr std::size_t keys = static_cast<std::size_t>(Fix::credentials);
    if (session_.corrections()[keys] == job.corrections[keys]) keys_.renew();
    return true;
  }

  // Whether there are keys to sign with. If there will never be any, all uploads end.
  bool may_start() {
    if (pending() > active_.size() || keep_keys_) keys_.poll();
    if (keys_.usable()) return true;
    if (keys_.failure()) fail_the_rest(*keys_.failure());
    return false;
  }

  void fail_the_rest(const Failure& failure) {
    for (Waiting& waiting : std::exchange(waiting_, {}))
      queue_.push_back(std::move(waiting.job));
    for (Job& job : std::exchange(queue_, {})) {
      job.failure = failure;
      end(std::move(job), false, "");
    }
  }

  Backoff backoff() const {
    return Backoff(options_.retry_base, options_.retry_cap, std::random_device{}());
  }

  void start_what_is_due() {
    if (!may_start()) return;
    while (active_.size() < static_cast<std::size_t>(options_.concurrency)) {
      std::optional<Job> job = next_job();
      if (!job) return;
      start(std::move(*job));
    }
  }

  // Retries first, because they have waited longest.
  std::optional<Job> next_job() {
    const auto first =
        std::min_element(waiting_.begin(), waiting_.end(),
                         [](const Waiting& a, const Waiting& b) { return a.due < b.due; });
    if (first != waiting_.end() && first->due <= Clock::now()) {
      Job job = std::move(first->job);
      waiting_.erase(first);
      return job;
    }
    // While many uploads wait, the store is in trouble, and new uploads would increase its load.
    const bool trouble = waiting_.size() > static_cast<std::size_t>(options_.concurrency);
    if (queue_.empty() || trouble) return std::nullopt;
    Job job = std::move(queue_.front());
    queue_.pop_front();
    return job;
  }

  void start(Job job) {
    std::unique_ptr<Transfer> transfer;
    if (idle_.empty()) {
      transfer = std::make_unique<Transfer>(options_, session_);
    } else {
      transfer = std::move(idle_.back());
      idle_.pop_back();
    }
    transfer->begin(std::move(job));
    active_.push_back(std::move(transfer));
    multi_.add(active_.back()->handle());
  }

  Options options_;
  Session session_;
  Backoff backoff_;
  Multi multi_;
  credentials::RefreshingCredentials keys_;
  bool keep_keys_ = false;
  std::vector<std::unique_ptr<Transfer>> active_;
  std::vector<std::unique_ptr<Transfer>> idle_;
  std::deque<Job> queue_;
  std::vector<Waiting> waiting_;
  std::vector<Outcome> outcomes_;
  Clock::time_point moved_at_;  // by transfers that are no longer active
};

Client::Client(Options options) {
  const SignalsBlocked blocked;
  impl_ = std::make_unique<Impl>(std::move(options));
}

Client::~Client() {
  const SignalsBlocked blocked;
  impl_.reset();
}

void Client::put(Upload upload) {
  const SignalsBlocked blocked;
  impl_->put(std::move(upload));
}

void Client::perform() {
  const SignalsBlocked blocked;
  impl_->perform();
}

void Client::ready(int fd, bool readable, bool writable) {
  const SignalsBlocked blocked;
  impl_->ready(fd, readable, writable);
}

void Client::cancel() {
  const SignalsBlocked blocked;
  impl_->cancel();
}

void Client::keep_keys(bool keep) {
  const SignalsBlocked blocked;
  impl_->keep_keys(keep);
}

void Client::renew_keys() {
  const SignalsBlocked blocked;
  impl_->renew_keys();
}

std::optional<credentials::Found> Client::keys() const {
  return impl_->keys();
}
std::optional<Failure> Client::keys_failure() const {
  return impl_->keys_failure();
}
bool Client::keys_change() const {
  return impl_->keys_change();
}
std::optional<Clock::time_point> Client::quiet_since() const {
  return impl_->quiet_since();
}
std::optional<Client::Trouble> Client::trouble() const {
  return impl_->trouble();
}
void Client::set_conditional(bool conditional) {
  impl_->set_conditional(conditional);
}
Identity Client::identity() const {
  return impl_->identity();
}
const std::vector<Watch>& Client::watches() const {
  return impl_->multi().watches();
}
std::uint64_t Client::watches_version() const {
  return impl_->multi().watches_version();
}
std::optional<milliseconds> Client::timeout() const {
  return impl_->timeout();
}
std::vector<Outcome> Client::take_outcomes() {
  return impl_->take_outcomes();
}
std::size_t Client::pending() const {
  return impl_->pending();
}

}  // namespace hydra::s3
