#include "s3/credentials/shared.hpp"

#include <cstring>

#include "s3/credentials/refreshing.hpp"

namespace hydra::s3::credentials {

namespace {

template <std::size_t N>
bool copy(char (&to)[N], const std::string& from) {
  if (from.size() >= N) return false;
  std::memcpy(to, from.c_str(), from.size() + 1);
  return true;
}

template <std::size_t N>
void cut(char (&to)[N], const std::string& from) {
  copy(to, from.substr(0, N - 1));
}

}  // namespace

void SharedKeys::write(const Contents& contents) {
  const std::uint32_t version = version_.load(std::memory_order_relaxed);
  version_.store(version + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  std::memcpy(&contents_, &contents, sizeof(contents));
  version_.store(version + 2, std::memory_order_release);
}

bool SharedKeys::publish(const Found& found) {
  Contents contents{};
  const bool fits = copy(contents.access_key, found.keys.access_key) &&
                    copy(contents.secret_key, found.keys.secret_key) &&
                    copy(contents.session_token, found.keys.session_token);
  cut(contents.source, found.source);
  contents.expires = found.expires_at.has_value();
  contents.expires_at = found.expires_at.value_or(0);
  if (fits) write(contents);
  explicit_bzero(&contents, sizeof(contents));
  return fits;
}

void SharedKeys::fail(const Failure& failure) {
  Contents contents{};
  cut(contents.failure, failure.text());
  cut(contents.hint, failure.hint().value_or(""));
  write(contents);
}

void SharedKeys::clear() {
  version_ = 0;
  explicit_bzero(&contents_, sizeof(contents_));
}

std::optional<SharedKeys::Version> SharedKeys::read(std::uint32_t other_than) const {
  const std::uint32_t version = version_.load(std::memory_order_acquire);
  if (version == 0 || version % 2 == 1 || version == other_than) return std::nullopt;
  Contents contents;
  std::memcpy(&contents, &contents_, sizeof(contents));
  std::atomic_thread_fence(std::memory_order_acquire);
  std::optional<Version> read;
  if (version_.load(std::memory_order_relaxed) == version) {
    read.emplace();
    read->number = version;
    read->found.keys = {contents.access_key, contents.secret_key, contents.session_token};
    if (contents.expires) read->found.expires_at = contents.expires_at;
    read->found.source = contents.source;
    read->failure = contents.failure;
    read->hint = contents.hint;
  }
  explicit_bzero(&contents, sizeof(contents));
  return read;
}

// If new keys are requested long before the current ones expire, the store refused those. The
// process that fetches keys renews them before they expire.
Step Shared::begin(std::int64_t now) {
  std::optional<SharedKeys::Version> read = keys_.read(version_);
  if (!read) {
    const bool ends = expires_at_ && now >= *expires_at_ - renew_before;
    if (version_ != 0 && !ends) keys_.refuse(version_);
    return Later{};
  }
  version_ = read->number;
  expires_at_ = read->found.expires_at;
  if (!read->failure.empty()) return Broken{read->failure, read->hint, false};
  return std::move(read->found);
}

}  // namespace hydra::s3::credentials
