#include "s3/transfer.hpp"

#include <algorithm>
#include <new>
#include <stdexcept>

#include "base/clock.hpp"
#include "base/percent.hpp"
#include "s3/answer_header.hpp"
#include "s3/stored.hpp"

namespace hydra::s3 {

namespace {

constexpr std::size_t longest_answer = 64 * 1024;
// Each call of perform() sends at most this much of an upload.
constexpr long upload_buffer = 256 * 1024;
constexpr std::chrono::milliseconds longest_connect{30000};

constexpr const char* no_tls =
    "The server at this address does not use TLS. If the store is reached over plain HTTP, start "
    "endpoint with http://.";

// Whether another attempt may succeed: not if the settings or the certificate are at fault. A name
// that cannot be resolved now may be resolved later. (CURLE_UNSUPPORTED_PROTOCOL means that a
// response is not HTTP: the server that sent it may be replaced.)
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

// Whether the response to the TLS handshake was not TLS (OpenSSL's reasons for that).
bool is_plain(CURLcode result, std::string_view words) {
  if (result != CURLE_SSL_CONNECT_ERROR) return false;
  for (std::string_view reason : {"wrong version number", "packet length too long",
                                  "unknown protocol", "record layer failure", "http request"})
    if (words.find(reason) != std::string_view::npos) return true;
  return false;
}

// What the user can do about the failure.
std::string advice(CURLcode result, const Session& session) {
  switch (result) {
    case CURLE_PEER_FAILED_VERIFICATION:
      return "If the certificate is right, set hydra_export.ca_file to the CA that signed it, and "
             "endpoint to the name that it is for.";
    case CURLE_SSL_CACERT_BADFILE:
      return "Check hydra_export.ca_file: the server's user must be able to read it.";
    case CURLE_COULDNT_RESOLVE_HOST:
      if (session.host_has_region())
        return "Check region \"" + session.region() + "\", because it is part of the host name.";
      return "Check endpoint, and the network connection to it.";
    case CURLE_COULDNT_CONNECT:
      return "Check endpoint, and the network connection to it.";
    case CURLE_GOT_NOTHING:
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      if (session.endpoint().scheme != "http") return "";
      return "The server at this address does not use HTTP. If the port uses TLS, start endpoint "
             "with https://.";
    default:
      return "";
  }
}

// AWS returns the checksum, so no MD5 is needed, which would cost as much as the rest of sending.
// Some stores refuse headers that they do not know.
bool sends_checksum(const Session& session) {
  return session.endpoint().is_aws();
}

}  // namespace

Request put_request(const Options& options, const Session& session, const Job& job,
                    const std::string& date) {
  const Upload& upload = job.upload;
  const Endpoint& endpoint = session.endpoint();
  const Credentials& credentials = session.credentials();
  Request request;
  request.method = "PUT";
  request.path = endpoint.base_path + '/' + encode_path(upload.key);
  request.payload_sha256 = upload.sha256;
  request.headers.emplace_back("Host", endpoint.host);
  if (!upload.content_type.empty())
    request.headers.emplace_back("Content-Type", upload.content_type);
  if (options.conditional && !job.damaged) request.headers.emplace_back("If-None-Match", "*");
  for (const auto& header : options.object_headers)
    request.headers.push_back(header);
  request.headers.emplace_back("x-amz-content-sha256", upload.sha256);
  if (sends_checksum(session))
    request.headers.emplace_back("x-amz-checksum-sha256", checksum_of(upload.sha256));
  request.headers.emplace_back("x-amz-date", date);
  if (!credentials.session_token.empty())
    request.headers.emplace_back("x-amz-security-token", credentials.session_token);
  return request;
}

Transfer::Transfer(const Options& options, const Session& session)
    : options_(options),
      session_(session),
      etags_may_be_md5_(!asks_for_a_key(options.object_headers)),
      easy_(options.ca_file, options.user_agent) {
  set_callbacks();
  set_network_options();
}

void Transfer::set_callbacks() {
  easy_.set(CURLOPT_READFUNCTION, &Transfer::on_read);
  easy_.set(CURLOPT_READDATA, this);
  easy_.set(CURLOPT_SEEKFUNCTION, &Transfer::on_seek);
  easy_.set(CURLOPT_SEEKDATA, this);
  easy_.set(CURLOPT_WRITEFUNCTION, &Transfer::on_body);
  easy_.set(CURLOPT_WRITEDATA, this);
  easy_.set(CURLOPT_HEADERFUNCTION, &Transfer::on_header);
  easy_.set(CURLOPT_HEADERDATA, this);
}

void Transfer::set_network_options() {
  using std::chrono::milliseconds;
  const milliseconds timeout = std::max(options_.request_timeout, milliseconds{1});
  easy_.set(CURLOPT_UPLOAD, 1L);
  easy_.set(CURLOPT_UPLOAD_BUFFERSIZE, upload_buffer);
  easy_.set(CURLOPT_PATH_AS_IS, 1L);
  easy_.set(CURLOPT_TCP_KEEPALIVE, 1L);
  easy_.set(CURLOPT_CONNECTTIMEOUT_MS,
            static_cast<long>(std::min(timeout, longest_connect).count()));
  easy_.set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  easy_.set(CURLOPT_LOW_SPEED_TIME,
            static_cast<long>(std::chrono::ceil<std::chrono::seconds>(timeout).count()));
}

void Transfer::begin(Job job) {
  job_ = std::move(job);
  ++job_->attempts;
  job_->corrections = session_.corrections();
  const Upload& upload = job_->upload;
  sent_ = {};
  if (sends_checksum(session_)) sent_.checksum = checksum_of(job_->upload.sha256);
  const bool is_answered = !sent_.checksum.empty() && last_had_checksum_;
  compares_ = !is_answered && etags_may_be_md5_ && last_etag_was_md5_;
  start_body();
  answer_ = {};
  easy_.forget_error();
  easy_.allow_special(session_.may_reach_special());

  begun_at_ = session_.now();
  const Scope scope{amz_date(begun_at_), session_.region()};
  const Request request = put_request(options_, session_, *job_, scope.date);
  set_headers(request, authorization(request, scope, session_.credentials()));
  host_ = session_.endpoint().host;
  const std::string url = session_.endpoint().scheme + "://" + host_ + request.path;
  easy_.set(CURLOPT_URL, url.c_str());
  easy_.set(CURLOPT_INFILESIZE_LARGE, static_cast<curl_off_t>(upload.body->size()));
}

void Transfer::set_headers(const Request& request, const std::string& authorization) {
  HeaderList list;
  for (const auto& [name, value] : request.headers)
    list.append(name + ": " + value);
  list.append("Authorization: " + authorization);
  list.append("Expect:");  // not sent: waiting for "100 Continue" would cost a round trip each time
  easy_.set(CURLOPT_HTTPHEADER, list.get());
  headers_ = std::move(list);
}

std::optional<Failure> Transfer::finish(CURLcode result) {
  const int status = easy_.status();
  answer_.status = status;
  has_answer_ = has_answer_ || status >= 200;
  // A store that refuses early may close the connection before libcurl has sent everything: its
  // response is more informative than the broken connection.
  remove_token();
  if (status >= 300) return parse_failure(answer_);
  const bool has_sent_all = read_ >= job_->upload.body->size();
  if (result == CURLE_OK && status >= 200 && has_sent_all) return judge_success();
  return no_answer(result);
}

std::optional<Failure> Transfer::judge_success() {
  last_etag_was_md5_ = has_md5(answer_);
  last_had_checksum_ = !answer_.checksum.empty();
  const bool is_answered = !sent_.checksum.empty() && last_had_checksum_;
  if (compares_)
    sent_.md5 = md5_.hex();
  else if (etags_may_be_md5_ && last_etag_was_md5_ && !is_answered)
    sent_.md5 = md5_of_body();
  return not_stored(answer_, host_, sent_);
}

// Used if the response's ETag is of another kind than the last one.
std::string Transfer::md5_of_body() {
  std::string piece(static_cast<std::size_t>(upload_buffer), '\0');
  Body& body = *job_->upload.body;
  body.rewind();
  md5_.start();
  while (const std::size_t n = body.read(piece.data(), piece.size()))
    md5_.update({piece.data(), n});
  return md5_.hex();
}

// A token that a gateway repeats from the request must not reach a log.
void Transfer::remove_token() {
  constexpr std::size_t shortest = 16;  // a shorter one is no secret, and part of any word
  const std::string& token = session_.credentials().session_token;
  if (token.size() < shortest) return;
  for (std::size_t at = 0; (at = answer_.body.find(token, at)) != std::string::npos;)
    answer_.body.replace(at, token.size(), "...");
}

void Transfer::start_body() {
  job_->upload.body->rewind();
  read_ = 0;
  if (compares_) md5_.start();
}

Failure Transfer::no_answer(CURLcode result) {
  const bool refused = easy_.refused(result);
  const std::string words = easy_.why(result);
  const bool plain = is_plain(result, words);
  Failure failure = transport_failure(host_, words, !refused && !plain && heals(result));
  failure.advice = refused ? Easy::refusal_advice : plain ? no_tls : "";
  if (failure.advice.empty() && !has_answer_) failure.advice = advice(result, session_);
  curl_off_t sent = 0;
  curl_easy_getinfo(handle(), CURLINFO_SIZE_UPLOAD_T, &sent);
  failure.perhaps_stored = static_cast<std::uint64_t>(sent) >= job_->upload.body->size();
  if (result == CURLE_OK) {
    failure.transport =
        easy_.status() < 200 ? "the answer has no status" : "it came before all was sent";
  }
  return failure;
}

Job Transfer::release() {
  Job job = std::move(*job_);
  job_.reset();
  return job;
}

std::size_t Transfer::on_read(char* to, std::size_t size, std::size_t n, void* self) noexcept {
  auto* transfer = static_cast<Transfer*>(self);
  const std::size_t read = transfer->job_->upload.body->read(to, size * n);
  transfer->read_ += read;
  if (transfer->read_ > transfer->job_->furthest) {
    transfer->job_->furthest = transfer->read_;
    transfer->moved_at_ = std::chrono::steady_clock::now();
  }
  if (transfer->compares_) transfer->md5_.update({to, read});
  return read;
}

// libcurl rewinds if a kept connection ends without a response, and sends everything again on
// another. If the first had sent the whole body, the store may have stored it, too.
int Transfer::on_seek(void* self, curl_off_t offset, int origin) noexcept {
  if (offset != 0 || origin != SEEK_SET) return CURL_SEEKFUNC_CANTSEEK;
  try {
    auto* transfer = static_cast<Transfer*>(self);
    if (transfer->read_ >= transfer->job_->upload.body->size())
      transfer->job_->perhaps_stored = true;
    transfer->start_body();
    return CURL_SEEKFUNC_OK;
  } catch (...) {
    return CURL_SEEKFUNC_FAIL;
  }
}

std::size_t Transfer::on_body(char* from, std::size_t size, std::size_t n, void* self) noexcept {
  try {
    std::string& body = static_cast<Transfer*>(self)->answer_.body;
    body.append(from, std::min(size * n, longest_answer - body.size()));
    return size * n;  // what exceeds the limit is read, and dropped
  } catch (...) {
    return 0;
  }
}

std::size_t Transfer::on_header(char* from, std::size_t size, std::size_t n, void* self) noexcept {
  try {
    auto* transfer = static_cast<Transfer*>(self);
    read_header(std::string_view(from, size * n), transfer->begun_at_, transfer->answer_);
    return size * n;
  } catch (...) {
    return 0;
  }
}

}  // namespace hydra::s3
