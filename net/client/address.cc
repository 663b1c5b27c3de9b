#include "net/client/address.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstring>

namespace stepwell::host {
namespace {

struct Range {
  std::uint32_t from;
  int bits;
};

constexpr std::uint32_t ip(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

constexpr Range kRefused[] = {
    {ip(0, 0, 0, 0), 8},      {ip(10, 0, 0, 0), 8},     {ip(100, 64, 0, 0), 10},
    {ip(127, 0, 0, 0), 8},    {ip(169, 254, 0, 0), 16}, {ip(172, 16, 0, 0), 12},
    {ip(192, 0, 0, 0), 24},   {ip(192, 0, 2, 0), 24},   {ip(192, 88, 99, 0), 24},
    {ip(192, 168, 0, 0), 16}, {ip(198, 18, 0, 0), 15},  {ip(198, 51, 100, 0), 24},
    {ip(203, 0, 113, 0), 24}, {ip(224, 0, 0, 0), 4},    {ip(240, 0, 0, 0), 4}};

bool is_public_v4(std::uint32_t address) {
  for (const Range& range : kRefused) {
    if ((address ^ range.from) >> (32 - range.bits) == 0) return false;
  }
  return true;
}

std::uint32_t v4_in(const std::uint8_t* bytes) {
  return ip(bytes[0], bytes[1], bytes[2], bytes[3]);
}

bool is_public_v6(const std::uint8_t* bytes) {
  constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  constexpr std::uint8_t kNat64[12] = {0, 0x64, 0xff, 0x9b};
  if (std::memcmp(bytes, kMapped, 12) == 0) return is_public_v4(v4_in(bytes + 12));
  if (std::memcmp(bytes, kNat64, 12) == 0) return is_public_v4(v4_in(bytes + 12));
  if (bytes[0] == 0x20 && bytes[1] == 0x02) return is_public_v4(v4_in(bytes + 2));  // 6to4
  const bool is_global = (bytes[0] & 0xe0) == 0x20;  // 2000::/3 is all that is handed out.
  const bool is_special = bytes[0] == 0x20 && bytes[1] == 0x01 &&
                          ((bytes[2] == 0x0d && bytes[3] == 0xb8) || (bytes[2] & 0xfe) == 0);
  return is_global && !is_special;
}

}  // namespace

bool is_public_address(const sockaddr* address) {
  if (address->sa_family == AF_INET) {
    sockaddr_in v4;
    std::memcpy(&v4, address, sizeof v4);
    return is_public_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6;
    std::memcpy(&v6, address, sizeof v6);
    return is_public_v6(v6.sin6_addr.s6_addr);
  }
  return false;
}

}  // namespace stepwell::host
