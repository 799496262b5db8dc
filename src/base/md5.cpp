#include "base/md5.hpp"

#include <openssl/evp.h>

#include <array>
#include <new>

#include "base/hex.hpp"

namespace hydra {

void Md5::Free::operator()(evp_md_ctx_st* context) const noexcept {
  EVP_MD_CTX_free(context);
}

Md5::Md5() : context_(EVP_MD_CTX_new()) {
  if (context_ == nullptr) throw std::bad_alloc();
}

void Md5::start() noexcept {
  running_ = EVP_DigestInit_ex(context_.get(), EVP_md5(), nullptr) == 1;
}

void Md5::update(std::string_view bytes) noexcept {
  running_ = running_ && EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1;
}

std::string Md5::hex() {
  std::array<unsigned char, 16> digest;
  running_ = running_ && EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1;
  if (!running_) return {};
  running_ = false;
  return hydra::hex({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

}  // namespace hydra
