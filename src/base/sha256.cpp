#include "base/sha256.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <stdexcept>

#include "base/hex.hpp"

namespace hydra {

namespace {

void require(int result, const char* what) {
  if (result != 1) throw std::runtime_error(std::string("OpenSSL failed in ") + what);
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const noexcept {
  EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  require(context_ != nullptr, "EVP_MD_CTX_new");
  start();
}

void Sha256::start() {
  require(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr), "EVP_DigestInit_ex");
}

void Sha256::update(std::string_view bytes) {
  require(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()), "EVP_DigestUpdate");
}

Digest Sha256::finish() {
  Digest digest;
  require(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr), "EVP_DigestFinal_ex");
  start();
  return digest;
}

Digest sha256(std::string_view bytes) {
  Sha256 running;
  running.update(bytes);
  return running.finish();
}

Digest hmac_sha256(std::string_view key, std::string_view data) {
  Digest digest;
  // For OpenSSL a null key means "the previous one", so an empty key needs an address.
  const unsigned char* key_bytes = key.empty() ? bytes_of("") : bytes_of(key);
  const unsigned char* done = HMAC(EVP_sha256(), key_bytes, static_cast<int>(key.size()),
                                   bytes_of(data), data.size(), digest.data(), nullptr);
  require(done != nullptr, "HMAC");
  return digest;
}

std::string hex(const Digest& digest) {
  return hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace hydra
