// What HTTP alone costs: small answers to 100 clients, and connections that say nothing.
#include "net/http/http.h"

#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <future>
#include <thread>

#include "base/sync/cpu_time.h"
#include "bench/bench.h"
#include "bench/http_load.h"
#include "net/loop/loop.h"

namespace stepwell::bench {
namespace {

// A server on a thread of its own, that answers GET with a constant and POST with its length.
class Server {
 public:
  Status start() {
    server_ = TRY(
        http::Server::listen(loop_, {}, [](const http::Request& request, const http::Reply& reply) {
          reply(http::Response::json(200,
                                     request.method == "GET"
                                         ? R"({"status":"alive"})"
                                         : fmt::format(R"({{"bytes":{}}})", request.body.size())));
        }));
    thread_ = std::thread([this] { loop_.run(); });
    return ok_status();
  }
  ~Server() {
    if (!thread_.joinable()) return;
    loop_.post([this] {
      server_.reset();
      loop_.stop();
    });
    thread_.join();
  }
  int port() const { return server_->port(); }
  double cpu_seconds() {
    return ask([this] {
      (void)server_;
      return std::chrono::duration<double>(thread_cpu_time()).count();
    });
  }
  std::size_t connections() {
    return ask([this] { return server_->connections(); });
  }

 private:
  template <class Ask>
  auto ask(Ask question) -> decltype(question()) {
    std::promise<decltype(question())> answer;
    loop_.post([&] { answer.set_value(question()); });
    return answer.get_future().get();
  }

  loop::UvLoop loop_;
  std::unique_ptr<http::Server> server_;
  std::thread thread_;
};

double resident_bytes() {
  std::ifstream file("/proc/self/statm");
  double total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

Result<Object> measure(Server& server, const Arguments& arguments, const std::string& request) {
  HttpLoad load;
  load.port = server.port();
  load.connections = arguments.connections;
  load.requests = arguments.n == 0 ? 200'000 : arguments.n;
  load.request = [&](std::uint64_t) { return request; };
  load.is_right = [](std::uint64_t, int status, std::string_view) { return status == 200; };
  const double cpu = server.cpu_seconds();
  const HttpLoadResult result = TRY(run(load));
  const double requests = static_cast<double>(load.requests);
  return Object{{"requests_per_s", rounded(requests / result.seconds)},
                {"cpu_us_each", rounded((server.cpu_seconds() - cpu) / requests * 1e6)},
                {"p50_ms", rounded(percentile(result.latencies_ms, 0.5))},
                {"p99_ms", rounded(percentile(result.latencies_ms, 0.99))},
                {"wrong", static_cast<std::int64_t>(result.wrong + result.lost)}};
}

// As many connections as the process may have files, both ends being here.
Result<Object> measure_idle(Server& server) {
  rlimit files{};
  ::getrlimit(RLIMIT_NOFILE, &files);
  const auto most = static_cast<std::size_t>(std::min<rlim_t>(files.rlim_cur, 100'000) / 2 - 200);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(server.port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  std::vector<int> clients;
  const double before = resident_bytes();
  while (clients.size() < most) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) break;
    clients.push_back(fd);
    if (::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) break;
    // One request each, so that what a request leaves behind is counted.
    const std::string request = http_get("/");
    char answer[1024];
    if (::send(fd, request.data(), request.size(), MSG_NOSIGNAL) <= 0 ||
        ::recv(fd, answer, sizeof answer, 0) <= 0) {
      break;
    }
  }
  const double grown = resident_bytes() - before;
  const std::size_t open = server.connections();
  for (const int fd : clients) ::close(fd);
  if (open != most) return Error{ErrorCode::kUnavailable, fmt::format("only {} opened", open)};
  return Object{{"connections", static_cast<std::int64_t>(open)},
                {"resident_bytes_each", rounded(grown / static_cast<double>(open))}};
}

}  // namespace

Result<Object> run_http(const Arguments& arguments) {
  Server server;
  TRY(server.start());
  Object line{{"workload", "http"},
              {"connections", static_cast<std::int64_t>(arguments.connections)}};
  line.set("get", Value(TRY(measure(server, arguments, http_get("/healthz")))));
  line.set("post", Value(TRY(measure(server, arguments,
                                     http_post("/things", R"({"input":{"name":"Ada","n":1}})",
                                               "Idempotency-Key: 4711\r\n")))));
  line.set("idle", Value(TRY(measure_idle(server))));
  return line;
}

}  // namespace stepwell::bench
