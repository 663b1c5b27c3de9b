// Server: a listening socket and its connections.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>

#include "net/http/connections.h"
#include "net/http/http.h"
#include "net/http/listener.h"
#include "net/http/tls.h"

namespace stepwell::http {
namespace {

std::int64_t wall_clock_seconds() {
  using std::chrono::system_clock;
  return std::chrono::floor<std::chrono::seconds>(system_clock::now()).time_since_epoch().count();
}

// The rest of the process needs files too: connections to the database, children, logs.
Limits within_the_process(Limits limits) {
  constexpr rlim_t kForOthers = 128;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) return limits;
  const rlim_t most =
      files.rlim_cur > 2 * kForOthers ? files.rlim_cur - kForOthers : files.rlim_cur / 2;
  limits.max_connections = static_cast<unsigned>(std::min<rlim_t>(limits.max_connections, most));
  return limits;
}

}  // namespace

struct Server::Parts {
  loop::Loop& loop;
  std::unique_ptr<Tls> tls;  // Outlives the connections.
  std::unique_ptr<Listener> listener;
  int port = 0;
  std::string url;
  std::unique_ptr<Connections> connections;

  void take(int descriptor) {
    auto socket = loop::open_socket(loop, descriptor);
    if (tls) socket = tls->wrap(loop, std::move(socket));
    connections->add(std::move(socket));
  }
};

Result<std::unique_ptr<Server>> Server::listen(loop::Loop& loop, const Endpoint& endpoint,
                                               Handler handler, const Limits& limits) {
  auto parts = std::unique_ptr<Parts>(new Parts{loop, nullptr, nullptr, 0, {}, nullptr});
  if (!endpoint.certificate_file.empty()) {
    parts->tls = TRY(Tls::open(endpoint.certificate_file, endpoint.key_file));
  }
  parts->listener = TRY(Listener::open(endpoint));
  parts->port = parts->listener->port();
  const char* const scheme = parts->port == 0 ? "unix:" : parts->tls ? "https://" : "http://";
  parts->url = scheme + parts->listener->address();
  parts->connections =
      std::make_unique<Connections>(loop, &wall_clock_seconds, std::move(handler),
                                    within_the_process(limits), parts->listener->names());
  parts->listener->start(loop, [&to = *parts](int descriptor) { to.take(descriptor); });
  return std::unique_ptr<Server>(new Server(std::move(parts)));
}

Server::Server(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Server::~Server() = default;

void Server::drain(Millis deadline, std::function<void()> done) {
  parts_->listener->take_waiting();
  parts_->listener.reset();
  parts_->connections->drain(deadline, std::move(done));
}

int Server::port() const { return parts_->port; }
std::string Server::url() const { return parts_->url; }
std::size_t Server::connections() const { return parts_->connections->count(); }

}  // namespace stepwell::http
