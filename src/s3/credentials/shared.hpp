// Keys that one process fetches, and other processes sign with.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "s3/credentials/source.hpp"
#include "s3/errors.hpp"

namespace hydra::s3::credentials {

// Located in memory that the processes share. One of them publishes keys whenever there are new
// ones; the others read them, and report when the store no longer accepts them. Nothing here waits.
class SharedKeys {
 public:
  // False if they are too long to be shared.
  bool publish(const Found& found);
  // Reports that there will be no keys.
  void fail(const Failure& failure);
  // Overwrites the keys.
  void clear();

  // The keys, if their version differs from the given one; nothing while there are none.
  struct Version {
    std::uint32_t number = 0;
    Found found;
    std::string failure, hint;  // '' if there are keys
  };
  std::optional<Version> read(std::uint32_t other_than) const;

  // Reports that the store refused the keys of this version; and the version that was last
  // reported.
  void refuse(std::uint32_t version) { refused_ = version; }
  std::uint32_t refused() const { return refused_; }
  std::uint32_t version() const { return version_; }

 private:
  struct Contents {
    char access_key[256];
    char secret_key[256];
    char session_token[16384];
    char source[512];
    char failure[1024];
    char hint[512];
    bool expires;
    std::int64_t expires_at;
  };
  void write(const Contents& contents);

  // Odd while the contents are being written; 0 = there are none.
  std::atomic<std::uint32_t> version_{0};
  std::atomic<std::uint32_t> refused_{0};
  Contents contents_{};
  // required for use between processes
  static_assert(std::atomic<std::uint32_t>::is_always_lock_free);
};

// The source of the processes that read.
class Shared : public Source {
 public:
  explicit Shared(SharedKeys& keys) : keys_(keys) {}
  Step begin(std::int64_t now) override;
  Step answered(const HttpReply&) override { return Later{}; }

 private:
  SharedKeys& keys_;
  std::uint32_t version_ = 0;
  std::optional<std::int64_t> expires_at_;
};

}  // namespace hydra::s3::credentials
