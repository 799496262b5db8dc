#include "s3/sigv4.hpp"

#include <algorithm>
#include <string_view>

#include "base/ascii.hpp"
#include "base/sha256.hpp"

namespace hydra::s3 {

namespace {

using Header = std::pair<std::string, std::string>;

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

// Removes spaces at the ends; inner runs of spaces become one.
std::string fold(std::string_view value) {
  std::string folded;
  bool gap = false;
  for (char c : value) {
    if (is_space(c)) {
      gap = !folded.empty();
      continue;
    }
    if (gap) folded += ' ';
    gap = false;
    folded += c;
  }
  return folded;
}

// Sorted by name, one entry per name: values of a repeated header are joined in the given order.
std::vector<Header> canonical_headers(const Request& request) {
  std::vector<Header> headers;
  for (const auto& [name, value] : request.headers)
    headers.emplace_back(to_lower(name), fold(value));
  std::stable_sort(headers.begin(), headers.end(),
                   [](const Header& a, const Header& b) { return a.first < b.first; });
  std::vector<Header> merged;
  for (Header& header : headers) {
    if (!merged.empty() && merged.back().first == header.first)
      merged.back().second += ',' + header.second;
    else
      merged.push_back(std::move(header));
  }
  return merged;
}

std::string signed_headers(const Request& request) {
  std::string names;
  for (const auto& [name, value] : canonical_headers(request)) {
    if (!names.empty()) names += ';';
    names += name;
  }
  return names;
}

// Parameters sorted by name, then by value; each has a '=', even without a value.
std::string canonical_query(std::string_view query) {
  std::vector<std::pair<std::string_view, std::string_view>> parameters;
  while (!query.empty()) {
    const std::string_view parameter = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), parameter.size() + 1));
    const std::size_t equals = parameter.find('=');
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : parameter.substr(equals + 1);
    if (!parameter.empty()) parameters.emplace_back(parameter.substr(0, equals), value);
  }
  std::sort(parameters.begin(), parameters.end());
  std::string canonical;
  for (const auto& [name, value] : parameters) {
    if (!canonical.empty()) canonical += '&';
    canonical.append(name).append("=").append(value);
  }
  return canonical;
}

std::string day(const Scope& scope) {
  return scope.date.substr(0, 8);
}

std::string credential_scope(const Scope& scope) {
  return day(scope) + '/' + scope.region + '/' + scope.service + "/aws4_request";
}

std::string_view view(const Digest& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

Digest signing_key(const Scope& scope, const Credentials& credentials) {
  const Digest by_day = hmac_sha256("AWS4" + credentials.secret_key, day(scope));
  const Digest by_region = hmac_sha256(view(by_day), scope.region);
  const Digest by_service = hmac_sha256(view(by_region), scope.service);
  return hmac_sha256(view(by_service), "aws4_request");
}

}  // namespace

std::string canonical_request(const Request& request) {
  std::string text = request.method + '\n';
  text += request.path.empty() ? "/" : request.path;
  text += '\n' + canonical_query(request.query) + '\n';
  for (const auto& [name, value] : canonical_headers(request))
    text += name + ':' + value + '\n';
  return text + '\n' + signed_headers(request) + '\n' + request.payload_sha256;
}

std::string string_to_sign(const Request& request, const Scope& scope) {
  return "AWS4-HMAC-SHA256\n" + scope.date + '\n' + credential_scope(scope) + '\n' +
         hex(sha256(canonical_request(request)));
}

std::string signature(const Request& request, const Scope& scope, const Credentials& credentials) {
  const Digest key = signing_key(scope, credentials);
  return hex(hmac_sha256(view(key), string_to_sign(request, scope)));
}

std::string authorization(const Request& request, const Scope& scope,
                          const Credentials& credentials) {
  return "AWS4-HMAC-SHA256 Credential=" + credentials.access_key + '/' + credential_scope(scope) +
         ", SignedHeaders=" + signed_headers(request) +
         ", Signature=" + signature(request, scope, credentials);
}

}  // namespace hydra::s3
