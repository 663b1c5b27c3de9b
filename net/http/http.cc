// HttpServer on libmicrohttpd in its external mode: the library owns one epoll descriptor, our loop
// watches it and calls MHD_run() when it is ready.  No thread of the library's, nothing polled.
//
// A request's way:  on_target (request line) -> on_access (headers) -> on_access (body, in pieces)
//   -> on_access (whole): the handler is called.  Answered at once: the reply is queued.  Answered
//   later: the connection sleeps (suspended) until the answer is posted to the loop, which wakes
//   it; the library then calls on_access once more.  on_completed ends it in every case.
#include "net/http/http.h"

#include <microhttpd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "net/http/listener.h"

namespace stepwell::server {
namespace {

// A body over the limit is read and dropped up to this multiple, so that the client gets to read
// its 413; beyond, the connection is closed.
constexpr std::size_t kDropFactor = 4;

// One request, from its first line until its reply is sent.
struct Exchange {
  std::uint64_t id = 0;
  std::string target;  // As sent: "/v1/x?y=1".
  std::string body;
  std::size_t received = 0;
  MHD_Connection* connection = nullptr;
  bool has_begun = false;
  bool is_dispatched = false;
  bool is_suspended = false;
  bool is_dropped = false;  // The server is going away.
  std::optional<Response> response;
};

// Outlives the server, so that a late Reply finds out that nobody is there any more.
struct Door {
  std::mutex mutex;
  loop::Loop* loop = nullptr;                           // Null once the server is gone.
  std::function<void(std::uint64_t, Response)> answer;  // On the loop's thread.
};

void parse_target(const std::string& target, Request& request) {
  const std::size_t question = target.find('?');
  request.path = url_decode(std::string_view(target).substr(0, question), false);
  if (question == std::string::npos) return;
  std::string_view rest = std::string_view(target).substr(question + 1);
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('&'), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = equals < pair.size() ? pair.substr(equals + 1) : "";
    if (!pair.empty()) {
      request.query.emplace_back(url_decode(pair.substr(0, equals), true), url_decode(value, true));
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
}

MHD_Result collect_header(void* headers, MHD_ValueKind, const char* name,
                          const char* value) noexcept {
  std::string lower(name);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  static_cast<Headers*>(headers)->emplace_back(std::move(lower), value == nullptr ? "" : value);
  return MHD_YES;
}

// Sends the first half of the body, then breaks the connection.
struct HalfBody {
  std::string body;
  static ssize_t read(void* self, std::uint64_t position, char* out, std::size_t room) noexcept {
    const std::string& body = static_cast<HalfBody*>(self)->body;
    const std::size_t half = body.size() / 2;
    if (position >= half) return MHD_CONTENT_READER_END_WITH_ERROR;
    const std::size_t count = std::min(room, half - static_cast<std::size_t>(position));
    std::copy_n(body.data() + position, count, out);
    return static_cast<ssize_t>(count);
  }
  static void free(void* self) noexcept { delete static_cast<HalfBody*>(self); }
};

MHD_Response* make_response(Response& response) {
  if (response.cut == Response::Cut::kHalfway) {
    const std::uint64_t promised = std::max<std::size_t>(response.body.size(), 1);
    return MHD_create_response_from_callback(
        promised, 4096, &HalfBody::read, new HalfBody{std::move(response.body)}, &HalfBody::free);
  }
  return MHD_create_response_from_buffer(response.body.size(), response.body.data(),
                                         MHD_RESPMEM_MUST_COPY);
}

MHD_Result send(MHD_Connection* connection, Response response) {
  if (response.cut == Response::Cut::kBeforeReply) return MHD_NO;
  MHD_Response* message = make_response(response);
  if (message == nullptr) return MHD_NO;
  for (const auto& [name, value] : response.headers) {
    // Refused by the library: line breaks in a value, which would forge headers.
    (void)MHD_add_response_header(message, name.c_str(), value.c_str());
  }
  const MHD_Result queued =
      MHD_queue_response(connection, static_cast<unsigned>(response.status), message);
  MHD_destroy_response(message);
  return queued;
}

Response too_large(std::size_t limit) {
  return Response::json(413, R"({"code":"too_large","message":"the body is larger than )" +
                                 std::to_string(limit) + R"( bytes","hint":"send less"})");
}

void log_nothing(void*, const char*, va_list) noexcept {}  // Clients' mistakes are not our news.

}  // namespace

struct HttpServer::Parts {
  loop::Loop* loop = nullptr;
  Handler handler;
  HttpLimits limits;
  Listener listener;
  std::string unix_path;
  MHD_Daemon* daemon = nullptr;
  loop::WatchId watch = 0;
  std::optional<loop::TimerId> timer;
  std::uint64_t last_id = 0;
  std::unordered_map<std::uint64_t, Exchange*> exchanges;
  std::shared_ptr<Door> door = std::make_shared<Door>();

  ~Parts() { stop(); }

  Status start() {
    const auto idle = std::chrono::ceil<std::chrono::seconds>(limits.idle_timeout).count();
    daemon = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, nullptr, nullptr,
        &on_access, this, MHD_OPTION_LISTEN_SOCKET, listener.descriptor, MHD_OPTION_EXTERNAL_LOGGER,
        &log_nothing, nullptr, MHD_OPTION_URI_LOG_CALLBACK, &on_target, this,
        MHD_OPTION_NOTIFY_COMPLETED, &on_completed, this, MHD_OPTION_CONNECTION_TIMEOUT,
        static_cast<unsigned>(idle), MHD_OPTION_CONNECTION_LIMIT, limits.max_connections,
        MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        2 * limits.max_header_bytes, MHD_OPTION_END);
    if (daemon == nullptr) {
      ::close(listener.descriptor);
      return Error{ErrorCode::kInternal, "the HTTP library would not start on " + listener.url};
    }
    const MHD_DaemonInfo* epoll = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD);
    CHECK(epoll != nullptr, "libmicrohttpd without epoll");
    watch = loop->watch(epoll->epoll_fd, true, false, [this](bool, bool) { run(); });
    door->loop = loop;
    door->answer = [this](std::uint64_t id, Response response) { answer(id, std::move(response)); };
    return ok_status();
  }

  void stop() {
    {
      const std::lock_guard lock(door->mutex);
      door->loop = nullptr;
      door->answer = nullptr;
    }
    if (daemon == nullptr) return;
    loop->unwatch(watch);
    if (timer) loop->cancel(*timer);
    // The library must not be stopped with sleeping connections: wake them, and hang up on them.
    for (auto& [id, exchange] : exchanges) {
      exchange->is_dropped = true;
      if (exchange->is_suspended) MHD_resume_connection(exchange->connection);
    }
    MHD_run(daemon);
    MHD_stop_daemon(daemon);  // Closes the listening socket too.
    daemon = nullptr;
    if (!unix_path.empty()) ::unlink(unix_path.c_str());
  }

  // Lets the library do what is ready, and notes when it wants to be called at the latest.
  void run() {
    MHD_run(daemon);
    if (timer) loop->cancel(*timer);
    timer.reset();
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    if (MHD_get_timeout(daemon, &wait_ms) == MHD_YES) {
      timer = loop->after(Millis(static_cast<std::int64_t>(wait_ms)), [this] {
        timer.reset();
        run();
      });
    }
  }

  void answer(std::uint64_t id, Response response) {
    const auto found = exchanges.find(id);
    if (found == exchanges.end()) return;  // The client has gone.
    Exchange& exchange = *found->second;
    exchange.response = std::move(response);
    if (!exchange.is_suspended) return;  // Answered before the handler returned.
    exchange.is_suspended = false;
    MHD_resume_connection(exchange.connection);
    run();
  }

  Reply reply_to(const Exchange& exchange) {
    auto used = std::make_shared<std::atomic<bool>>(false);
    return [room = door, used, id = exchange.id](Response response) {
      if (used->exchange(true)) return;
      const std::lock_guard lock(room->mutex);
      if (room->loop == nullptr) return;
      // Posted even from the loop's own thread: the handler may be deep in its own stack.
      room->loop->post([room, id, response = std::move(response)]() mutable {
        if (room->answer) room->answer(id, std::move(response));
      });
    };
  }

  MHD_Result dispatch(Exchange& exchange, const char* method) {
    exchange.is_dispatched = true;
    if (exchange.received > limits.max_body_bytes) {
      return send(exchange.connection, too_large(limits.max_body_bytes));
    }
    Request request;
    request.method = method;
    parse_target(exchange.target, request);
    MHD_get_connection_values(exchange.connection, MHD_HEADER_KIND, &collect_header,
                              &request.headers);
    request.body = std::move(exchange.body);
    exchange.is_suspended = true;
    MHD_suspend_connection(exchange.connection);
    handler(std::move(request), reply_to(exchange));
    return MHD_YES;
  }

  MHD_Result access(Exchange& exchange, const char* method, const char* data, std::size_t* size) {
    if (exchange.is_dropped) return MHD_NO;
    if (!exchange.has_begun) {
      exchange.has_begun = true;
      const char* length =
          MHD_lookup_connection_value(exchange.connection, MHD_HEADER_KIND, "Content-Length");
      const auto promised = length == nullptr ? 0 : std::strtoull(length, nullptr, 10);
      if (promised / kDropFactor > limits.max_body_bytes) {
        return send(exchange.connection, too_large(limits.max_body_bytes));
      }
      return MHD_YES;
    }
    if (*size > 0) {
      exchange.received += *size;
      if (exchange.received / kDropFactor > limits.max_body_bytes) return MHD_NO;
      if (exchange.received <= limits.max_body_bytes) exchange.body.append(data, *size);
      *size = 0;
      return MHD_YES;
    }
    if (exchange.response) return send(exchange.connection, std::move(*exchange.response));
    return exchange.is_dispatched ? MHD_YES : dispatch(exchange, method);
  }

  static void* on_target(void* self, const char* target, MHD_Connection* connection) noexcept {
    auto* parts = static_cast<Parts*>(self);
    auto* exchange = new Exchange;
    exchange->id = ++parts->last_id;
    exchange->target = target;
    exchange->connection = connection;
    parts->exchanges.emplace(exchange->id, exchange);
    return exchange;
  }
  static MHD_Result on_access(void* self, MHD_Connection*, const char*, const char* method,
                              const char*, const char* data, std::size_t* size,
                              void** exchange) noexcept {
    return static_cast<Parts*>(self)->access(*static_cast<Exchange*>(*exchange), method, data,
                                             size);
  }
  static void on_completed(void* self, MHD_Connection*, void** exchange,
                           MHD_RequestTerminationCode) noexcept {
    auto* ended = static_cast<Exchange*>(*exchange);
    if (ended == nullptr) return;
    static_cast<Parts*>(self)->exchanges.erase(ended->id);
    delete ended;
    *exchange = nullptr;
  }
};

Result<std::unique_ptr<HttpServer>> HttpServer::listen(loop::Loop& loop, const Endpoint& endpoint,
                                                       Handler handler, const HttpLimits& limits) {
  auto parts = std::make_unique<Parts>();
  parts->loop = &loop;
  parts->handler = std::move(handler);
  parts->limits = limits;
  parts->listener = TRY(open_listener(endpoint));
  parts->unix_path = endpoint.unix_path;
  TRY(parts->start());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(parts)));
}

HttpServer::HttpServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
HttpServer::~HttpServer() = default;
int HttpServer::port() const { return parts_->listener.port; }
std::string HttpServer::url() const { return parts_->listener.url; }

}  // namespace stepwell::server
