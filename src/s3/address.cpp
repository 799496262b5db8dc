#include "s3/address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <optional>

namespace hydra::s3 {

namespace {

using V6 = std::array<std::uint8_t, 16>;

// The first `bits` of `address` are special.
struct Network4 {
  std::uint32_t address;
  int bits;
};

constexpr Network4 special4[] = {
    {0x00000000, 8},   // 0.0.0.0/8: this host
    {0x7f000000, 8},   // 127.0.0.0/8: loopback
    {0xa9fe0000, 16},  // 169.254.0.0/16: link-local, metadata of AWS, Azure, Google and others
    {0x646464c8, 32},  // 100.100.100.200: metadata of Alibaba
    {0xa83f8110, 32},  // 168.63.129.16: Azure's agent
    {0xc00000c0, 32},  // 192.0.0.192: metadata of Oracle
};

bool is_special4(std::uint32_t address) {
  for (const Network4& network : special4) {
    if ((address ^ network.address) >> (32 - network.bits) == 0) return true;
  }
  return false;
}

std::uint32_t last_four(const V6& address) {
  std::uint32_t value = 0;
  for (std::size_t i = 12; i < 16; ++i)
    value = value << 8 | address[i];
  return value;
}

bool begins_with(const V6& address, const std::uint8_t* start, std::size_t size) {
  return std::memcmp(address.data(), start, size) == 0;
}

// An IPv6 address that contains an IPv4 address: mapped (::ffff:0:0/96), compatible (::/96, which
// includes :: and ::1), or translated by a gateway (64:ff9b::/96).
bool holds_ipv4(const V6& address) {
  constexpr std::uint8_t compatible[12] = {};
  constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr std::uint8_t translated[12] = {0, 0x64, 0xff, 0x9b};
  for (const std::uint8_t* start : {compatible, mapped, translated}) {
    if (begins_with(address, start, 12)) return true;
  }
  return false;
}

bool is_special6(const V6& address) {
  constexpr std::uint8_t metadata[4] = {0xfd, 0x00, 0x0e, 0xc2};  // fd00:ec2::/32, of AWS
  if (holds_ipv4(address)) return is_special4(last_four(address));
  const bool link_local = address[0] == 0xfe && (address[1] & 0xc0) == 0x80;  // fe80::/10
  return link_local || begins_with(address, metadata, 4);
}

std::optional<std::uint32_t> ipv4(std::string_view host) {
  in_addr address;
  if (inet_pton(AF_INET, std::string(host).c_str(), &address) != 1) return std::nullopt;
  return ntohl(address.s_addr);
}

std::optional<V6> ipv6(std::string_view host) {
  if (host.size() < 4 || host.front() != '[' || host.back() != ']') return std::nullopt;
  const std::string inner(host.substr(1, host.size() - 2));
  V6 address;
  if (inet_pton(AF_INET6, inner.c_str(), address.data()) != 1) return std::nullopt;
  return address;
}

bool is_localhost(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost");
}

}  // namespace

bool is_ipv4(std::string_view host) {
  return ipv4(host).has_value();
}

bool is_ipv6(std::string_view host) {
  return ipv6(host).has_value();
}

bool is_loopback_host(std::string_view host) {
  constexpr V6 loopback = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  if (const auto address = ipv6(host)) return *address == loopback;
  if (const auto address = ipv4(host)) return *address >> 24 == 127;
  return is_localhost(host);
}

bool is_special_host(std::string_view host) {
  if (const auto address = ipv6(host)) return is_special6(*address);
  if (const auto address = ipv4(host)) return is_special4(*address);
  return is_localhost(host);
}

std::string canonical_host(std::string_view host) {
  const auto address = ipv6(host);
  char text[INET6_ADDRSTRLEN];
  if (!address || inet_ntop(AF_INET6, address->data(), text, sizeof text) == nullptr)
    return std::string(host);
  return '[' + std::string(text) + ']';
}

bool is_special_address(const sockaddr& address) noexcept {
  if (address.sa_family == AF_INET) {
    sockaddr_in four;
    std::memcpy(&four, &address, sizeof four);
    return is_special4(ntohl(four.sin_addr.s_addr));
  }
  if (address.sa_family != AF_INET6) return true;
  sockaddr_in6 six;
  std::memcpy(&six, &address, sizeof six);
  V6 bytes;
  std::memcpy(bytes.data(), &six.sin6_addr, bytes.size());
  return is_special6(bytes);
}

}  // namespace hydra::s3
