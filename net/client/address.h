// Which addresses a provider may be connected to.
#pragma once

struct sockaddr;

namespace stepwell::host {

// False for loopback, private, link-local (cloud metadata), shared, multicast, reserved and
// documentation ranges, and for IPv6 addresses that hide such an IPv4 address.
bool is_public_address(const sockaddr* address);

}  // namespace stepwell::host
