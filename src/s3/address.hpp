// Hosts and network addresses: which of them are this machine's own, or its network's plumbing.
//
// "Special" are addresses that no store on a network has: loopback, "this host" (0.0.0.0, ::),
// link-local, and those of the clouds' metadata services. Who may name an endpoint must not reach
// through the server what only the server can reach.
#pragma once

#include <sys/socket.h>

#include <string>
#include <string_view>

namespace hydra::s3 {

// All of these take a host as in a URL, in lower case, IPv6 in brackets. Nothing is looked up.

bool is_ipv4(std::string_view host);
bool is_ipv6(std::string_view host);

// 127.0.0.0/8, ::1, localhost and *.localhost.
bool is_loopback_host(std::string_view host);

// A special address in any spelling that is_ipv4() or is_ipv6() knows, or localhost.
bool is_special_host(std::string_view host);

// IPv6 addresses in the one spelling that inet_ntop() gives, others as they are.
std::string canonical_host(std::string_view host);

// What a socket is about to be connected to. Families other than IPv4 and IPv6 are special, too.
bool is_special_address(const sockaddr& address) noexcept;

}  // namespace hydra::s3
