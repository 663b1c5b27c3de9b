#include "net/http/listener.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace stepwell::server {
namespace {

constexpr int kBacklog = 1024;  // Bursts of a thousand clients find the queue, not a refusal.

Error refused(const std::string& address, int error) {
  std::string hint;
  if (error == EADDRINUSE) hint = "; another program listens there: choose another port";
  if (error == EACCES) hint = "; this user may not: ports below 1024 need privileges";
  const ErrorCode code = error == EACCES ? ErrorCode::kDenied : ErrorCode::kUnavailable;
  return {code, "cannot listen on " + address + ": " + std::strerror(error) + hint};
}

// A socket file that nobody answers on is left over from a process that died.
void remove_stale(const sockaddr_un& address) {
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (probe < 0) return;
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(probe, generic, sizeof address) != 0 && errno == ECONNREFUSED) {
    ::unlink(address.sun_path);
  }
  ::close(probe);
}

Result<Listener> open_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error{ErrorCode::kInvalid, "the socket path is longer than " +
                                          std::to_string(sizeof address.sun_path - 1) +
                                          " bytes: " + path};
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  remove_stale(address);
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return refused(path, errno);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  // Owner only: whoever may connect may start and stop executions.
  if (::bind(fd, generic, sizeof address) != 0 || ::chmod(path.c_str(), 0600) != 0 ||
      ::listen(fd, kBacklog) != 0) {
    const int error = errno;
    ::close(fd);
    return refused(path, error);
  }
  return Listener{fd, 0, "unix:" + path};
}

int port_of(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port);
  return ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
}

Result<Listener> open_tcp(const std::string& host, int port) {
  const bool is_v6 = host.find(':') != std::string::npos;
  const std::string shown = is_v6 ? "[" + host + "]" : host;
  const std::string address = shown + ":" + std::to_string(port);
  if (port < 0 || port > 65535) {
    return Error{ErrorCode::kInvalid, "there is no port " + std::to_string(port) + " (0 to 65535)"};
  }
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int failure = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &wanted, &found);
  if (failure != 0) {
    return Error{ErrorCode::kUnavailable,
                 "cannot listen on " + address + ": " + ::gai_strerror(failure)};
  }
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  if (fd >= 0) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool listening =
      fd >= 0 && ::bind(fd, found->ai_addr, found->ai_addrlen) == 0 && ::listen(fd, kBacklog) == 0;
  const int error = errno;
  ::freeaddrinfo(found);
  if (!listening) {
    if (fd >= 0) ::close(fd);
    return refused(address, error);
  }
  const int bound = port_of(fd);
  return Listener{fd, bound, "http://" + shown + ":" + std::to_string(bound)};
}

}  // namespace

Result<Listener> open_listener(const Endpoint& endpoint) {
  if (!endpoint.unix_path.empty()) return open_unix(endpoint.unix_path);
  return open_tcp(endpoint.host, endpoint.port);
}

}  // namespace stepwell::server
