#include "bench/http_load.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <memory>

#include "base/sync/cpu_time.h"
#include "net/loop/loop.h"
#include "net/loop/socket.h"

namespace stepwell::bench {
namespace {

using Clock = std::chrono::steady_clock;

double thread_cpu_seconds() { return std::chrono::duration<double>(thread_cpu_time()).count(); }

Result<int> connect_to(const HttpLoad& load) {
  const bool is_unix = !load.unix_path.empty();
  const int fd = ::socket(is_unix ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return Error{ErrorCode::kUnavailable, std::string("socket: ") + strerror(errno)};
  sockaddr_in ip{};
  ip.sin_family = AF_INET;
  ip.sin_port = htons(static_cast<std::uint16_t>(load.port));
  ip.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  sockaddr_un file{};
  file.sun_family = AF_UNIX;
  load.unix_path.copy(file.sun_path, sizeof file.sun_path - 1);
  const auto* address =
      is_unix ? reinterpret_cast<const sockaddr*>(&file) : reinterpret_cast<const sockaddr*>(&ip);
  if (::connect(fd, address, is_unix ? sizeof file : sizeof ip) != 0) {
    const int error = errno;
    ::close(fd);
    return Error{ErrorCode::kUnavailable, std::string("cannot connect: ") + strerror(error)};
  }
  ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
  return fd;
}

// One answer at the front of `bytes`.
struct Answer {
  int status = 0;
  std::string_view body;
  std::size_t size = 0;  // 0: it is not whole yet.
};
Answer find_answer(std::string_view bytes) {
  constexpr std::string_view kLength = "\r\nContent-Length: ";
  Answer answer;
  const std::size_t end = bytes.find("\r\n\r\n");
  if (end == std::string_view::npos) return answer;
  const std::string_view head = bytes.substr(0, end + 2);
  if (head.size() > 12) std::from_chars(head.data() + 9, head.data() + 12, answer.status);
  std::size_t length = 0;
  if (const std::size_t at = head.find(kLength); at != std::string_view::npos) {
    std::from_chars(head.data() + at + kLength.size(), head.data() + head.size(), length);
  }
  if (bytes.size() < end + 4 + length) return answer;
  answer.body = bytes.substr(end + 4, length);
  answer.size = end + 4 + length;
  return answer;
}

class Load;

class Client final : public loop::Socket::Events {
 public:
  Client(Load& load, std::unique_ptr<loop::Socket> socket)
      : load_(load), socket_(std::move(socket)) {
    socket_->start(*this);
  }
  void send_next();

 private:
  void on_bytes(std::string_view bytes) override;
  void on_end() override { lose(); }
  void on_broken() override { lose(); }
  void on_drained() override {}
  void lose();

  Load& load_;
  std::unique_ptr<loop::Socket> socket_;
  std::string in_;
  std::uint64_t number_ = 0;
  bool is_waiting_ = false;
  Clock::time_point sent_at_;
};

class Load {
 public:
  explicit Load(const HttpLoad& wanted) : wanted_(wanted) {}

  Status connect() {
    for (unsigned i = 0; i < wanted_.connections; ++i) {
      const int fd = TRY(connect_to(wanted_));
      clients_.push_back(std::make_unique<Client>(*this, loop::open_socket(loop_, fd)));
    }
    return ok_status();
  }

  HttpLoadResult run() {
    const double cpu = thread_cpu_seconds();
    const auto begin = Clock::now();
    result_.latencies_ms.reserve(wanted_.requests);
    loop_.post([this] {
      for (const auto& client : clients_) client->send_next();
    });
    loop_.run();
    result_.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
    result_.cpu_seconds = thread_cpu_seconds() - cpu;
    clients_.clear();
    return std::move(result_);
  }

  // The number of the next request; nothing when there were enough.
  bool take(std::uint64_t& number) {
    if (begun_ == wanted_.requests) return false;
    number = begun_++;
    ++in_flight_;
    return true;
  }
  void end(std::uint64_t number, const Answer* answer, double latency_ms) {
    --in_flight_;
    if (answer == nullptr) {
      ++result_.lost;
    } else {
      ++result_.answered;
      result_.wrong += wanted_.is_right(number, answer->status, answer->body) ? 0 : 1;
      result_.latencies_ms.push_back(latency_ms);
    }
  }
  // Once a client has nothing more to do.
  void stop_when_done() {
    if (in_flight_ == 0) loop_.stop();
  }
  const HttpLoad& wanted() const { return wanted_; }

 private:
  const HttpLoad& wanted_;
  loop::UvLoop loop_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::uint64_t begun_ = 0, in_flight_ = 0;
  HttpLoadResult result_;
};

void Client::send_next() {
  if (!load_.take(number_)) return load_.stop_when_done();
  is_waiting_ = true;
  const std::string bytes = load_.wanted().request(number_);
  sent_at_ = Clock::now();
  socket_->write(bytes);
}

void Client::on_bytes(std::string_view bytes) {
  in_.append(bytes);
  const Answer answer = find_answer(in_);
  if (answer.size == 0 || !is_waiting_) return;
  is_waiting_ = false;
  const std::chrono::duration<double, std::milli> latency = Clock::now() - sent_at_;
  load_.end(number_, &answer, latency.count());
  in_.erase(0, answer.size);
  send_next();
}

void Client::lose() {
  if (!is_waiting_) return;
  is_waiting_ = false;
  load_.end(number_, nullptr, 0);
  load_.stop_when_done();
}

}  // namespace

Result<HttpLoadResult> run(const HttpLoad& load) {
  Load running(load);
  TRY(running.connect());
  return running.run();
}

std::string http_get(std::string_view target) {
  return std::string("GET ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

std::string http_post(std::string_view target, std::string_view body,
                      std::string_view more_headers) {
  return std::string("POST ")
      .append(target)
      .append(" HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n")
      .append(more_headers)
      .append("Content-Length: " + std::to_string(body.size()) + "\r\n\r\n")
      .append(body);
}

}  // namespace stepwell::bench
