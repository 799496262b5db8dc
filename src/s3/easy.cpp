#include "s3/easy.hpp"

#include <openssl/x509_vfy.h>
#include <sys/socket.h>

#include "s3/address.hpp"

namespace hydra::s3 {

namespace {

// OpenSSL's reason for refusing a certificate; '' if libcurl's own message is sufficient.
const char* certificate_problem(long code) {
  switch (code) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "the server's certificate has expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "the server's certificate is not valid yet";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
      return "the server's certificate is from an unknown CA";
    default:
      return "";
  }
}

}  // namespace

void require(CURLcode code) {
  if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
  if (code != CURLE_OK)
    throw std::runtime_error(std::string("libcurl failed: ") + curl_easy_strerror(code));
}

void HeaderList::append(const std::string& line) {
  curl_slist* longer = curl_slist_append(list_.get(), line.c_str());
  if (longer == nullptr) throw std::bad_alloc();
  list_.release();
  list_.reset(longer);
}

Easy::Easy(const std::string& ca_file, const std::string& user_agent) : handle_(curl_easy_init()) {
  if (handle_ == nullptr) throw std::bad_alloc();
  set(CURLOPT_ERRORBUFFER, error_);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_OPENSOCKETFUNCTION, &Easy::on_open);
  set(CURLOPT_OPENSOCKETDATA, this);
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!ca_file.empty()) set(CURLOPT_CAINFO, ca_file.c_str());
  if (!user_agent.empty()) set(CURLOPT_USERAGENT, user_agent.c_str());
#if LIBCURL_VERSION_NUM >= 0x075500
  set(CURLOPT_PROTOCOLS_STR, "http,https");
#else
  set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
  // Without it, giving up a transfer waits for its resolver thread, for as long as DNS takes.
  set(CURLOPT_QUICK_EXIT, 1L);
#endif
}

std::string Easy::why(CURLcode result) const {
  if (result == CURLE_PEER_FAILED_VERIFICATION) {
    long found = X509_V_OK;
    curl_easy_getinfo(get(), CURLINFO_SSL_VERIFYRESULT, &found);
    const char* problem = certificate_problem(found);
    if (*problem != '\0') return problem;
  }
  if (refused(result)) return "data may not be sent to its address";
  return error_[0] != '\0' ? error_ : curl_easy_strerror(result);
}

curl_socket_t Easy::on_open(void* self, curlsocktype, curl_sockaddr* address) noexcept {
  auto* easy = static_cast<Easy*>(self);
  if (!easy->special_allowed_ && is_special_address(address->addr) &&
      !is_proxy(easy->proxies_, address->addr)) {
    easy->refused_ = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype, address->protocol);
}

int Easy::status() const {
  long status = 0;
  curl_easy_getinfo(get(), CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

}  // namespace hydra::s3
