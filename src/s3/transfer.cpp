#include "s3/transfer.hpp"

#include <algorithm>
#include <new>
#include <stdexcept>

#include "base/clock.hpp"
#include "base/percent.hpp"

namespace hydra::s3 {

namespace {

constexpr std::size_t longest_answer = 64 * 1024;
// Each call of perform() moves at most this much of an upload.
constexpr long upload_buffer = 256 * 1024;
constexpr std::chrono::milliseconds longest_connect{30000};

void require(CURLcode code) {
  if (code == CURLE_OUT_OF_MEMORY) throw std::bad_alloc();
  if (code != CURLE_OK)
    throw std::runtime_error(std::string("libcurl failed: ") + curl_easy_strerror(code));
}

// Whether another attempt can end otherwise: not where the settings or the certificate are at
// fault. A name that cannot be resolved can be, later. (CURLE_UNSUPPORTED_PROTOCOL comes where an
// answer is no HTTP: whatever stands in the way may go.)
bool heals(CURLcode result) {
  switch (result) {
    case CURLE_URL_MALFORMAT:
    case CURLE_NOT_BUILT_IN:
    case CURLE_BAD_FUNCTION_ARGUMENT:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CRL_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
      return false;
    default:
      return true;
  }
}

// The value of this header if the line holds it.
std::optional<std::string_view> header_value(std::string_view line, std::string_view name) {
  const auto same = [](char a, char b) {
    return a == b || (a >= 'A' && a <= 'Z' && a - 'A' + 'a' == b);
  };
  if (line.size() <= name.size() || line[name.size()] != ':') return std::nullopt;
  if (!std::equal(name.begin(), name.end(), line.begin(),
                  [&](char expected, char c) { return same(c, expected); }))
    return std::nullopt;
  constexpr std::string_view spaces = " \t\r\n";
  std::string_view value = line.substr(name.size() + 1);
  value.remove_prefix(std::min(value.find_first_not_of(spaces), value.size()));
  return value.substr(0, value.find_last_not_of(spaces) + 1);
}

std::string without_quotes(std::string_view etag) {
  if (etag.size() >= 2 && etag.front() == '"' && etag.back() == '"')
    etag = etag.substr(1, etag.size() - 2);
  return clean_text(etag);
}

}  // namespace

Request put_request(const Options& options, const Session& session, const Upload& upload,
                    const std::string& date) {
  const Endpoint& endpoint = session.endpoint();
  const Credentials& credentials = session.credentials();
  Request request;
  request.method = "PUT";
  request.path = endpoint.base_path + '/' + encode_path(upload.key);
  request.payload_sha256 = upload.sha256;
  request.headers.emplace_back("Host", endpoint.host);
  if (!upload.content_type.empty())
    request.headers.emplace_back("Content-Type", upload.content_type);
  if (options.conditional) request.headers.emplace_back("If-None-Match", "*");
  for (const auto& header : options.object_headers)
    request.headers.push_back(header);
  request.headers.emplace_back("x-amz-content-sha256", upload.sha256);
  request.headers.emplace_back("x-amz-date", date);
  if (!credentials.session_token.empty())
    request.headers.emplace_back("x-amz-security-token", credentials.session_token);
  return request;
}

Transfer::Transfer(const Options& options, const Session& session)
    : options_(options), session_(session), handle_(curl_easy_init()) {
  if (handle_ == nullptr) throw std::bad_alloc();
  set_callbacks();
  set_network_options(options);
  set_tls_options(options);
}

template <typename Value>
void Transfer::set(CURLoption option, Value value) {
  require(curl_easy_setopt(handle_.get(), option, value));
}

void Transfer::set_callbacks() {
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_ERRORBUFFER, error_);
  set(CURLOPT_READFUNCTION, &Transfer::on_read);
  set(CURLOPT_READDATA, this);
  set(CURLOPT_SEEKFUNCTION, &Transfer::on_seek);
  set(CURLOPT_SEEKDATA, this);
  set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  set(CURLOPT_HEADERDATA, this);
}

void Transfer::set_network_options(const Options& options) {
  using std::chrono::milliseconds;
  const milliseconds timeout = std::max(options.request_timeout, milliseconds{1});
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_UPLOAD, 1L);
  set(CURLOPT_UPLOAD_BUFFERSIZE, upload_buffer);
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_PATH_AS_IS, 1L);
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_TCP_KEEPALIVE, 1L);
  set(CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(std::min(timeout, longest_connect).count()));
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME,
      static_cast<long>(std::chrono::ceil<std::chrono::seconds>(timeout).count()));
  if (!options.user_agent.empty()) set(CURLOPT_USERAGENT, options.user_agent.c_str());
#if LIBCURL_VERSION_NUM >= 0x075500
  set(CURLOPT_PROTOCOLS_STR, "http,https");
#else
  set(CURLOPT_PROTOCOLS, static_cast<long>(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
#if LIBCURL_VERSION_NUM >= 0x075700
  // Otherwise giving up a transfer waits for its resolver thread, for as long as DNS takes.
  set(CURLOPT_QUICK_EXIT, 1L);
#endif
}

void Transfer::set_tls_options(const Options& options) {
  set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(CURLOPT_SSL_VERIFYPEER, 1L);
  set(CURLOPT_SSL_VERIFYHOST, 2L);
  if (!options.ca_file.empty()) set(CURLOPT_CAINFO, options.ca_file.c_str());
}

void Transfer::begin(Job job) {
  job_ = std::move(job);
  ++job_->attempts;
  job_->lessons = session_.lessons();
  const Upload& upload = job_->upload;
  upload.body->rewind();
  answer_ = {};
  error_[0] = '\0';

  const Scope scope{amz_date(session_.now()), session_.region()};
  const Request request = put_request(options_, session_, upload, scope.date);
  set_headers(request, authorization(request, scope, session_.credentials()));
  host_ = session_.endpoint().host;
  const std::string url = session_.endpoint().scheme + "://" + host_ + request.path;
  set(CURLOPT_URL, url.c_str());
  set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(upload.body->size()));
}

void Transfer::set_headers(const Request& request, const std::string& authorization) {
  std::unique_ptr<curl_slist, FreeList> list;
  const auto append = [&](const std::string& line) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc();
    list.release();
    list.reset(longer);
  };
  for (const auto& [name, value] : request.headers)
    append(name + ": " + value);
  append("Authorization: " + authorization);
  append("Expect:");  // not sent: waiting for "100 Continue" would cost a round trip each time
  set(CURLOPT_HTTPHEADER, list.get());
  headers_ = std::move(list);
}

std::optional<Failure> Transfer::finish(CURLcode result) {
  long status = 0;
  curl_easy_getinfo(handle(), CURLINFO_RESPONSE_CODE, &status);
  answer_.status = static_cast<int>(status);
  curl_off_t wait = 0;
  if (curl_easy_getinfo(handle(), CURLINFO_RETRY_AFTER, &wait) == CURLE_OK && wait > 0)
    answer_.retry_after = std::chrono::seconds(wait);
  // A store that refuses early may close the connection before libcurl has sent everything: its
  // answer says more than the broken connection.
  if (status >= 300) return parse_failure(answer_);
  if (result == CURLE_OK && status >= 200) return std::nullopt;
  return no_answer(result);
}

Failure Transfer::no_answer(CURLcode result) {
  const char* words = error_[0] != '\0' ? error_ : curl_easy_strerror(result);
  Failure failure = transport_failure(host_, words, heals(result));
  curl_off_t sent = 0;
  curl_easy_getinfo(handle(), CURLINFO_SIZE_UPLOAD_T, &sent);
  failure.perhaps_stored = static_cast<std::uint64_t>(sent) >= job_->upload.body->size();
  if (result == CURLE_OK) failure.transport = "the answer has no status";
  return failure;
}

Job Transfer::release() {
  Job job = std::move(*job_);
  job_.reset();
  return job;
}

void Transfer::read_header(std::string_view line) {
  if (line.starts_with("HTTP/")) answer_ = {};  // "100 Continue" may come before the answer
  if (const auto value = header_value(line, "etag")) answer_.etag = without_quotes(*value);
  if (const auto value = header_value(line, "x-amz-request-id")) answer_.request_id = *value;
  if (const auto value = header_value(line, "x-amz-bucket-region")) answer_.region = *value;
  if (const auto value = header_value(line, "location")) answer_.location = *value;
  if (const auto value = header_value(line, "date")) {
    const std::time_t date = curl_getdate(std::string(*value).c_str(), nullptr);
    if (date > 0) answer_.date = date;
  }
}

std::size_t Transfer::on_read(char* to, std::size_t size, std::size_t n, void* self) noexcept {
  return static_cast<Transfer*>(self)->job_->upload.body->read(to, size * n);
}

// libcurl goes back to the start when a kept connection turns out to be closed.
int Transfer::on_seek(void* self, curl_off_t offset, int origin) noexcept {
  if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  try {
    static_cast<Transfer*>(self)->job_->upload.body->rewind();
    return CURL_SEEKFUNC_OK;
  } catch (...) {
    return CURL_SEEKFUNC_FAIL;
  }
}

std::size_t Transfer::on_body(char* from, std::size_t size, std::size_t n, void* self) noexcept {
  try {
    std::string& body = static_cast<Transfer*>(self)->answer_.body;
    body.append(from, std::min(size * n, longest_answer - body.size()));
    return size * n;  // what comes beyond is read, and dropped
  } catch (...) {
    return 0;
  }
}

std::size_t Transfer::on_header(char* from, std::size_t size, std::size_t n, void* self) noexcept {
  try {
    static_cast<Transfer*>(self)->read_header(std::string_view(from, size * n));
    return size * n;
  } catch (...) {
    return 0;
  }
}

}  // namespace hydra::s3
