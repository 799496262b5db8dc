#include "s3/address.hpp"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/un.h>

#include <cstdlib>

#include "s3/proxy.hpp"

namespace hydra::s3 {
namespace {

constexpr const char* special4[] = {"0.0.0.0",         "0.1.2.3",         "127.0.0.1",
                                    "127.255.255.255", "169.254.169.254", "169.254.0.0",
                                    "100.100.100.200", "168.63.129.16",   "192.0.0.192"};
constexpr const char* ordinary4[] = {"1.0.0.0",     "126.255.255.255", "128.0.0.1", "169.253.255.1",
                                     "169.255.0.1", "10.0.0.1",        "192.0.0.1", "203.0.113.5"};
constexpr const char* special6[] = {
    "::",           "::1",        "fe80::1",          "febf:ffff::1",    "fd00:ec2::254",
    "::7f00:1",     "::ffff:0:0", "::ffff:127.9.9.9", "64:ff9b::a9fe:1", "::ffff:a9fe:a9fe",
    "0:0:0:0:0::1", "::127.0.0.1"};
constexpr const char* ordinary6[] = {
    "2001:db8::1",     "fec0::1", "fd00:ec3::1", "64:ff9b::808:808",
    "::ffff:10.0.0.1", "fe7f::1", "1::",         "::8.8.8.8"};

sockaddr_storage ip(int family, const char* text, int port = 443) {
  sockaddr_storage storage{};
  storage.ss_family = static_cast<sa_family_t>(family);
  void* four = &reinterpret_cast<sockaddr_in*>(&storage)->sin_addr;
  void* six = &reinterpret_cast<sockaddr_in6*>(&storage)->sin6_addr;
  EXPECT_EQ(inet_pton(family, text, family == AF_INET ? four : six), 1) << text;
  // Both kinds have the port in the same place.
  reinterpret_cast<sockaddr_in*>(&storage)->sin_port = htons(static_cast<std::uint16_t>(port));
  return storage;
}

const sockaddr& of(const sockaddr_storage& storage) {
  return reinterpret_cast<const sockaddr&>(storage);
}

TEST(Address, SpecialOnesOfASocket) {
  for (const char* text : special4)
    EXPECT_TRUE(is_special_address(of(ip(AF_INET, text)))) << text;
  for (const char* text : ordinary4)
    EXPECT_FALSE(is_special_address(of(ip(AF_INET, text)))) << text;
  for (const char* text : special6)
    EXPECT_TRUE(is_special_address(of(ip(AF_INET6, text)))) << text;
  for (const char* text : ordinary6)
    EXPECT_FALSE(is_special_address(of(ip(AF_INET6, text)))) << text;
  sockaddr_storage local{};
  local.ss_family = AF_UNIX;
  EXPECT_TRUE(is_special_address(of(local)));
}

TEST(Address, SpecialHosts) {
  for (const char* text : special4)
    EXPECT_TRUE(is_special_host(text)) << text;
  for (const char* text : ordinary4)
    EXPECT_FALSE(is_special_host(text)) << text;
  for (const char* text : special6)
    EXPECT_TRUE(is_special_host('[' + std::string(text) + ']')) << text;
  for (const char* text : ordinary6)
    EXPECT_FALSE(is_special_host('[' + std::string(text) + ']')) << text;
  EXPECT_TRUE(is_special_host("localhost"));
  EXPECT_TRUE(is_special_host("a.localhost"));
  EXPECT_FALSE(is_special_host("localhost.example.com"));
  EXPECT_FALSE(is_special_host("127.0.0.1.example.com"));
}

TEST(Address, HasOneSpelling) {
  EXPECT_EQ(canonical_host("[0:0::1]"), "[::1]");
  EXPECT_EQ(canonical_host("[2001:db8:0::1]"), "[2001:db8::1]");
  EXPECT_EQ(canonical_host("127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(canonical_host("a.example"), "a.example");
}

TEST(Proxy, ComesFromTheEnvironment) {
  for (const char* name : {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"})
    unsetenv(name);
  EXPECT_FALSE(is_proxy(proxies_of_environment(), of(ip(AF_INET, "127.0.0.1", 3128))));
  setenv("https_proxy", "http://user:secret@127.0.0.1:3128", 1);
  setenv("all_proxy", "localhost", 1);
  setenv("ALL_PROXY", "socks5://[fe80::2]:9", 1);
  const auto proxies = proxies_of_environment();
  for (const char* name : {"https_proxy", "all_proxy", "ALL_PROXY"})
    unsetenv(name);
  EXPECT_TRUE(is_proxy(proxies, of(ip(AF_INET, "127.0.0.1", 3128))));
  EXPECT_FALSE(is_proxy(proxies, of(ip(AF_INET, "127.0.0.1", 3129))));
  EXPECT_FALSE(is_proxy(proxies, of(ip(AF_INET, "127.0.0.2", 3128))));
  EXPECT_TRUE(is_proxy(proxies, of(ip(AF_INET6, "::1", 1080))));
  EXPECT_TRUE(is_proxy(proxies, of(ip(AF_INET6, "fe80::2", 9))));
  EXPECT_FALSE(is_proxy(proxies, of(ip(AF_INET6, "::1", 3128))));
  EXPECT_FALSE(is_proxy(proxies, of(ip(AF_INET, "169.254.169.254", 1080))));
}

}  // namespace
}  // namespace hydra::s3
