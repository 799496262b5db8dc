#include "s3/credentials/fetch.hpp"

#include <utility>

namespace hydra::s3::credentials {

namespace {

constexpr std::size_t longest_reply = 256 * 1024;

}  // namespace

Fetch::Fetch(const std::string& ca_file, const std::string& user_agent, Multi& multi)
    : multi_(multi), easy_(ca_file, user_agent) {
  easy_.set(CURLOPT_WRITEFUNCTION, &Fetch::on_body);
  easy_.set(CURLOPT_WRITEDATA, this);
}

void Fetch::begin(HttpRequest request, bool special_allowed) {
  request_ = std::move(request);
  reply_ = {};
  easy_.forget_error();
  easy_.allow_special(special_allowed);
  HeaderList headers;
  for (const auto& [name, value] : request_.headers)
    headers.append(name + ": " + value);
  headers.append("Expect:");
  easy_.set(CURLOPT_HTTPHEADER, headers.get());
  headers_ = std::move(headers);
  easy_.set(CURLOPT_URL, request_.url.c_str());
  easy_.set(CURLOPT_NOPROXY, request_.local ? "*" : static_cast<const char*>(nullptr));
  easy_.set(CURLOPT_TIMEOUT_MS, static_cast<long>(request_.timeout.count()));
  if (request_.method == "GET") {
    easy_.set(CURLOPT_HTTPGET, 1L);
  } else {
    easy_.set(CURLOPT_POST, 1L);
    easy_.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
    easy_.set(CURLOPT_POSTFIELDS, request_.body.c_str());
  }
  easy_.set(CURLOPT_CUSTOMREQUEST,
            request_.method == "PUT" ? "PUT" : static_cast<const char*>(nullptr));
  multi_.add(handle());
  under_way_ = true;
}

HttpReply Fetch::finish(CURLcode result) {
  give_up();
  reply_.status = result == CURLE_OK ? easy_.status() : 0;
  if (reply_.status == 0) reply_.transport = easy_.why(result);
  return std::exchange(reply_, {});
}

void Fetch::give_up() noexcept {
  if (under_way_) multi_.remove(handle());
  under_way_ = false;
}

std::size_t Fetch::on_body(char* from, std::size_t size, std::size_t n, void* self) noexcept {
  try {
    std::string& body = static_cast<Fetch*>(self)->reply_.body;
    if (body.size() + size * n > longest_reply) return 0;
    body.append(from, size * n);
    return size * n;
  } catch (...) {
    return 0;
  }
}

}  // namespace hydra::s3::credentials
