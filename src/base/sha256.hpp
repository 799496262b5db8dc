// SHA-256 and HMAC-SHA-256 (FIPS 180-4, RFC 2104) over OpenSSL's EVP interface.
//
// All functions throw std::runtime_error when OpenSSL refuses or has no memory.
#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace hydra {

using Digest = std::array<unsigned char, 32>;

// A running digest. finish() returns the digest of everything since the previous finish(), or since
// construction, so one object serves many messages. Move-only; a moved-from object may only be
// destroyed or assigned to.
class Sha256 {
 public:
  Sha256();
  void update(std::string_view bytes);
  Digest finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const noexcept;
  };
  void start();
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

Digest sha256(std::string_view bytes);
Digest hmac_sha256(std::string_view key, std::string_view data);

// 64 lower-case hexadecimal digits.
std::string hex(const Digest& digest);

}  // namespace hydra
