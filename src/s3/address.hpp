// Classes of hosts and network addresses.
//
// "Special" addresses are those that no store on a network has: loopback, "this host" (0.0.0.0,
// ::), link-local, and those of cloud metadata services. A role that may set an endpoint must not
// reach, through the server, services that only the server can reach.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

namespace hydra::s3 {

// All of these take a host as in a URL, in lower case, IPv6 in brackets. They do no name lookup.

bool is_ipv4(std::string_view host);
bool is_ipv6(std::string_view host);

// 127.0.0.0/8, ::1, localhost and *.localhost.
bool is_loopback_host(std::string_view host);

// A special address in any spelling that is_ipv4() or is_ipv6() accepts, or localhost.
bool is_special_host(std::string_view host);

// IPv6 addresses in the spelling that inet_ntop() returns, other hosts unchanged.
std::string canonical_host(std::string_view host);

// For the address of a connection. Families other than IPv4 and IPv6 count as special.
bool is_special_address(const sockaddr& address) noexcept;

}  // namespace hydra::s3
