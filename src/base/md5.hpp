// MD5 (RFC 1321) through OpenSSL's EVP interface, for comparison with ETags. Not for secrets.
#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace hydra {

// A running digest. If OpenSSL has no MD5, as in FIPS mode, hex() returns ''.
class Md5 {
 public:
  Md5();  // throws std::bad_alloc
  void start() noexcept;
  void update(std::string_view bytes) noexcept;

  // 32 lower-case hexadecimal digits of all bytes since start(), or ''. Ends the digest.
  std::string hex();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
  bool running_ = false;
};

}  // namespace hydra
