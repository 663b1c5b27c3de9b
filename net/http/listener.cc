#include "net/http/listener.h"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace stepwell::http {
namespace {

constexpr int kBacklog = 1024;  // Bursts of a thousand clients find the queue, not a refusal.
constexpr int kAtOnce = 64;     // Accepted in a row; then those who are connected have a turn.

Error refused(const std::string& address, int error, bool is_file = false) {
  std::string hint;
  if (error == EADDRINUSE) hint = "; another program listens there";
  if (error == EADDRINUSE && !is_file) hint += ": choose another port";
  if (error == EACCES && !is_file) hint = "; this user may not: ports below 1024 need privileges";
  const ErrorCode code = error == EACCES ? ErrorCode::kDenied : ErrorCode::kUnavailable;
  return {code, "cannot listen on " + address + ": " + std::strerror(error) + hint};
}

// A socket file that nobody answers on is left over from a process that died: it is removed.
// Anything else at that path is somebody's: connect() refuses a text file just as it does a socket.
Status remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat found {};
  if (::lstat(path.c_str(), &found) != 0) return ok_status();  // Nothing is there, or bind() tells.
  if (!S_ISSOCK(found.st_mode)) {
    return Error{ErrorCode::kUnavailable, "cannot listen on " + path +
                                              ": what is there is not a socket; move it away, or "
                                              "choose another path"};
  }
  // Does not wait where the other's queue is full: that one listens.
  const int probe = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (probe < 0) return ok_status();
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  if (::connect(probe, generic, sizeof address) != 0 && errno == ECONNREFUSED) {
    ::unlink(path.c_str());
  }
  ::close(probe);
  return ok_status();
}

int port_of(int fd) {
  sockaddr_storage bound{};
  socklen_t size = sizeof bound;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&bound), &size) != 0) return 0;
  if (bound.ss_family == AF_INET6) return ntohs(reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port);
  return ntohs(reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
}

// On a loopback address a web page could reach us under a name of its own: only the loopback's
// names are ours there, unless others are given.
HostNames names_for(const Endpoint& endpoint, const sockaddr* address) {
  bool is_loopback = false;
  if (address->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address);
    is_loopback = (ntohl(v4->sin_addr.s_addr) >> 24) == 127;
  } else if (address->sa_family == AF_INET6) {
    is_loopback = IN6_IS_ADDR_LOOPBACK(&reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr);
  }
  HostNames names;
  names.is_any = endpoint.names.empty() && !is_loopback;
  names.names = endpoint.names;
  if (is_loopback) {
    const bool is_v6 = endpoint.host.find(':') != std::string::npos;
    for (const std::string& name :
         {std::string("localhost"), std::string("127.0.0.1"), std::string("[::1]"),
          is_v6 ? "[" + endpoint.host + "]" : endpoint.host}) {
      names.names.push_back(name);
    }
  }
  return names;
}

}  // namespace

Listener::Listener(int descriptor, std::string address)
    : descriptor_(descriptor),
      spare_(::open("/dev/null", O_RDONLY | O_CLOEXEC)),
      address_(std::move(address)) {}

Listener::~Listener() {
  if (loop_ != nullptr) loop_->unwatch(watch_);
  ::close(descriptor_);
  if (spare_ >= 0) ::close(spare_);
  if (!unix_path_.empty()) ::unlink(unix_path_.c_str());
}

Result<std::unique_ptr<Listener>> Listener::open_unix(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) {
    return Error{ErrorCode::kInvalid, "the socket path is longer than " +
                                          std::to_string(sizeof address.sun_path - 1) +
                                          " bytes: " + path};
  }
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  TRY(remove_stale(path, address));
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return refused(path, errno, true);
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  // Only its owner may connect: whoever may can start and stop executions.  The mode is set before
  // listen(), so nobody gets in between.
  if (::bind(fd, generic, sizeof address) != 0 || ::chmod(path.c_str(), 0600) != 0 ||
      ::listen(fd, kBacklog) != 0) {
    const int error = errno;
    ::close(fd);
    return refused(path, error, true);
  }
  auto listener = std::unique_ptr<Listener>(new Listener(fd, path));
  listener->unix_path_ = path;
  listener->names_.is_any = true;  // No web page reaches a file.
  return listener;
}

Result<std::unique_ptr<Listener>> Listener::open_tcp(const Endpoint& endpoint) {
  const bool is_v6 = endpoint.host.find(':') != std::string::npos;
  const std::string shown = is_v6 ? "[" + endpoint.host + "]" : endpoint.host;
  const std::string address = shown + ":" + std::to_string(endpoint.port);
  if (endpoint.port < 0 || endpoint.port > 65535) {
    return Error{ErrorCode::kInvalid,
                 "there is no port " + std::to_string(endpoint.port) + " (0 to 65535)"};
  }
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  wanted.ai_flags = AI_PASSIVE;
  addrinfo* found = nullptr;
  const int failure =
      ::getaddrinfo(endpoint.host.c_str(), std::to_string(endpoint.port).c_str(), &wanted, &found);
  if (failure != 0) {
    return Error{ErrorCode::kUnavailable,
                 "cannot listen on " + address + ": " + ::gai_strerror(failure)};
  }
  const int fd = ::socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int on = 1;
  if (fd >= 0) ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const bool is_listening =
      fd >= 0 && ::bind(fd, found->ai_addr, found->ai_addrlen) == 0 && ::listen(fd, kBacklog) == 0;
  const int error = errno;
  HostNames names = names_for(endpoint, found->ai_addr);
  ::freeaddrinfo(found);
  if (!is_listening) {
    if (fd >= 0) ::close(fd);
    return refused(address, error);
  }
  const int port = port_of(fd);
  auto listener = std::unique_ptr<Listener>(new Listener(fd, shown + ":" + std::to_string(port)));
  listener->port_ = port;
  listener->names_ = std::move(names);
  return listener;
}

Result<std::unique_ptr<Listener>> Listener::open(const Endpoint& endpoint) {
  return endpoint.unix_path.empty() ? open_tcp(endpoint) : open_unix(endpoint.unix_path);
}

void Listener::start(loop::Loop& loop, std::function<void(int)> take) {
  loop_ = &loop;
  take_ = std::move(take);
  watch_ = loop.watch(descriptor_, true, false, [this](bool, bool) { accept_waiting(); });
}

void Listener::accept_waiting() {
  for (int i = 0; i < kAtOnce && accept_one(); ++i) {
  }
}

void Listener::take_waiting() {
  for (int i = 0; i < kBacklog && accept_one(); ++i) {
  }
}

// False: nobody is waiting.
bool Listener::accept_one() {
  int client = ::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (client >= 0) {
    take_(client);
    return true;
  }
  if ((errno != EMFILE && errno != ENFILE) || spare_ < 0) return errno == ECONNABORTED;
  ::close(spare_);
  client = ::accept4(descriptor_, nullptr, nullptr, SOCK_CLOEXEC);
  if (client >= 0) ::close(client);
  spare_ = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  return client >= 0;
}

}  // namespace stepwell::http
