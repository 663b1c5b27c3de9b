#include "tests/races/flaky_wire.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <filesystem>

#include "base/check.h"

namespace stepwell::testing {
namespace {

constexpr int kTickMs = 20;

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  CHECK(path.size() < sizeof address.sun_path, path);
  path.copy(address.sun_path, path.size());
  return address;
}

std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      out += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16));
      i += 2;
    } else {
      out += text[i];
    }
  }
  return out;
}

bool write_all(int fd, const char* bytes, std::size_t count) {
  while (count > 0) {
    const ssize_t written = send(fd, bytes, count, MSG_NOSIGNAL);
    if (written <= 0) return false;
    bytes += written;
    count -= static_cast<std::size_t>(written);
  }
  return true;
}

}  // namespace

FlakyWire::FlakyWire(const postgres::PgOptions& options) : options_(options) {
  const std::size_t at = options_.url.find("host=");
  CHECK(at != std::string::npos, "not a unix socket: " + options_.url);
  const std::size_t end = std::min(options_.url.find('&', at), options_.url.size());
  backend_path_ = unescaped(options_.url.substr(at + 5, end - at - 5)) + "/.s.PGSQL.5432";
  folder_ = (std::filesystem::temp_directory_path() / "stepwell-wire-XXXXXX").string();
  CHECK(mkdtemp(folder_.data()) != nullptr, folder_);
  options_.url.replace(at + 5, end - at - 5, folder_);
  listener_ = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_un address = address_of(folder_ + "/.s.PGSQL.5432");
  CHECK(bind(listener_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0, "bind");
  CHECK(listen(listener_, 16) == 0, "listen");
  acceptor_ = std::thread([this] { accept_all(); });
}

FlakyWire::~FlakyWire() {
  stopping_ = true;
  acceptor_.join();  // After it nobody adds a thread.
  for (std::thread& thread : threads_) thread.join();
  for (const Pipe& pipe : pipes_) {
    close(pipe.client);
    close(pipe.server);
  }
  close(listener_);
  std::filesystem::remove_all(folder_);
}

void FlakyWire::lose_clients() {
  const MutexLock lock(mutex_);
  for (const Pipe& pipe : pipes_) shutdown(pipe.client, SHUT_RDWR);
}

void FlakyWire::accept_all() {
  while (!stopping_) {
    pollfd watched{listener_, POLLIN, 0};
    if (poll(&watched, 1, kTickMs) <= 0) continue;
    const int client = accept(listener_, nullptr, nullptr);
    const int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const sockaddr_un address = address_of(backend_path_);
    CHECK(connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
          "connect");
    const MutexLock lock(mutex_);
    pipes_.push_back({client, server});
    threads_.emplace_back([this, client, server] { carry({client, server}); });
  }
}

// Ends the pipe by itself only as a real wire does; a cut client leaves its backend alone.
void FlakyWire::carry(Pipe pipe) {
  std::vector<char> buffer(1 << 16);
  while (!stopping_) {
    pollfd watched[2] = {{pipe.client, POLLIN, 0}, {pipe.server, POLLIN, 0}};
    if (poll(watched, 2, kTickMs) <= 0) continue;
    if (watched[0].revents != 0) {
      const ssize_t count = recv(pipe.client, buffer.data(), buffer.size(), 0);
      if (count <= 0) {
        // Closed in order by the client: pass it on.  Cut by us: the backend hears nothing.
        if (count == 0 && (watched[0].revents & POLLHUP) == 0) shutdown(pipe.server, SHUT_WR);
        return;
      }
      Mode expected = Mode::kLoseRequest;
      const bool lost = mode_.compare_exchange_strong(expected, Mode::kPass);
      if (lost || !write_all(pipe.server, buffer.data(), static_cast<std::size_t>(count))) break;
    }
    if (watched[1].revents != 0) {
      const ssize_t count = recv(pipe.server, buffer.data(), buffer.size(), 0);
      Mode expected = Mode::kLoseReply;
      if (count <= 0 || mode_.compare_exchange_strong(expected, Mode::kPass)) break;
      if (!write_all(pipe.client, buffer.data(), static_cast<std::size_t>(count))) break;
    }
  }
  shutdown(pipe.client, SHUT_RDWR);
  shutdown(pipe.server, SHUT_RDWR);
}

}  // namespace stepwell::testing
