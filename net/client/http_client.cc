#include "net/client/http_client.h"

#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <map>

#include "base/check.h"
#include "net/client/address.h"

namespace stepwell::host {
namespace {

constexpr long kConnectTimeoutMs = 5'000;
constexpr std::size_t kMaxHeaderBytes = 64u << 10;
constexpr long kMaxConnectionsPerHost = 64;

void start_curl() {
  static const CURLcode kStarted = curl_global_init(CURL_GLOBAL_DEFAULT);
  CHECK(kStarted == CURLE_OK, "libcurl does not start");
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

// One request in flight.
struct Transfer {
  HttpRequest request;
  HttpReply reply;
  std::function<void(HttpReply)> done;
  Reach reach = Reach::kPublicOnly;
  bool is_blocked = false, is_too_large = false;
  std::size_t header_bytes = 0;
  CURL* easy = nullptr;
  curl_slist* headers = nullptr;

  Transfer() = default;
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;
  ~Transfer() {
    curl_easy_cleanup(easy);
    curl_slist_free_all(headers);
  }
  void prepare();
  void finish(CURLcode code);
};

std::size_t on_body(char* bytes, std::size_t, std::size_t size, void* self) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  if (transfer.reply.body.size() + size > transfer.request.max_bytes) {
    transfer.is_too_large = true;
    return 0;
  }
  transfer.reply.body.append(bytes, size);
  return size;
}

void take_header(Transfer& transfer, std::string_view line) {
  if (line.rfind("HTTP/", 0) == 0) {
    transfer.reply.headers.clear();  // Those of a "100 Continue".
    return;
  }
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::size_t from = colon + 1, to = line.size();
  while (from < to && (line[from] == ' ' || line[from] == '\t')) ++from;
  while (to > from && (line[to - 1] == '\r' || line[to - 1] == '\n' || line[to - 1] == ' ')) --to;
  transfer.reply.headers[lower(std::string(line.substr(0, colon)))] = line.substr(from, to - from);
}

std::size_t on_header(char* bytes, std::size_t, std::size_t size, void* self) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.header_bytes += size;
  if (transfer.header_bytes > kMaxHeaderBytes) {
    transfer.is_too_large = true;
    return 0;
  }
  take_header(transfer, std::string_view(bytes, size));
  return size;
}

curl_socket_t on_open(void* self, curlsocktype, curl_sockaddr* address) noexcept {
  auto& transfer = *static_cast<Transfer*>(self);
  if (transfer.reach == Reach::kPublicOnly && !is_public_address(&address->addr)) {
    transfer.is_blocked = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

void Transfer::prepare() {
  easy = curl_easy_init();
  CHECK(easy != nullptr, "no memory for an HTTP request");
  const auto set = [this](CURLoption option, auto value) { curl_easy_setopt(easy, option, value); };
  set(CURLOPT_URL, request.url.c_str());
  set(CURLOPT_PRIVATE, this);
  set(CURLOPT_NOSIGNAL, 1L);
  // Plain HTTP only where addresses are not checked either: to a fake on this machine.
  set(CURLOPT_PROTOCOLS_STR, reach == Reach::kPublicOnly ? "https" : "http,https");
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_PROXY, "");
  set(CURLOPT_USERAGENT, "stepwell/0.1");
  set(CURLOPT_ACCEPT_ENCODING, "");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  set(CURLOPT_TIMEOUT_MS, static_cast<long>(request.timeout.count()));
  set(CURLOPT_WRITEFUNCTION, on_body);
  set(CURLOPT_WRITEDATA, this);
  set(CURLOPT_HEADERFUNCTION, on_header);
  set(CURLOPT_HEADERDATA, this);
  set(CURLOPT_OPENSOCKETFUNCTION, on_open);
  set(CURLOPT_OPENSOCKETDATA, this);
  // libcurl sends a request again by itself when a connection that it re-used turns out dead, and
  // cannot know whether the first one arrived.
  if (!request.is_repeatable) set(CURLOPT_FRESH_CONNECT, 1L);
  if (request.method == "HEAD") set(CURLOPT_NOBODY, 1L);
  set(CURLOPT_CUSTOMREQUEST, request.method.c_str());
  const bool has_body = !request.body.empty() || request.method == "POST" ||
                        request.method == "PUT" || request.method == "PATCH";
  if (has_body) {
    set(CURLOPT_POSTFIELDS, request.body.data());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    headers = curl_slist_append(headers, "Expect:");
  }
  bool has_type = false;
  for (const auto& [name, value] : request.headers) {
    has_type = has_type || lower(name) == "content-type";
    headers = curl_slist_append(headers, (name + ": " + value).c_str());
  }
  if (has_body && !has_type) {
    headers = curl_slist_append(headers, "Content-Type: application/octet-stream");
  }
  set(CURLOPT_HTTPHEADER, headers);
}

void Transfer::finish(CURLcode code) {
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  reply.status = static_cast<int>(status);
  if (code == CURLE_OK) return;
  reply.problem = curl_easy_strerror(code);
  curl_off_t sent_after = 0;
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &sent_after);
  using Failure = HttpReply::Failure;
  if (is_too_large) {
    reply.failure = Failure::kTooLarge;
    reply.problem = "the answer is larger than " + std::to_string(request.max_bytes) + " bytes";
  } else if (is_blocked && sent_after == 0) {
    reply.failure = Failure::kBlocked;
    reply.problem = "the host resolves to an address that is not public";
  } else if (code == CURLE_OPERATION_TIMEDOUT) {
    reply.failure = sent_after == 0 ? Failure::kConnectTimeout : Failure::kReadTimeout;
  } else {
    reply.failure = sent_after == 0 ? Failure::kNoConnection : Failure::kBroken;
  }
}

}  // namespace

struct HttpClient::Parts {
  loop::Loop& loop;
  Reach reach;
  CURLM* multi = nullptr;
  loop::TimerId timer = 0;
  std::map<CURL*, std::unique_ptr<Transfer>> transfers;
  std::map<curl_socket_t, loop::WatchId> watches;
  // Work posted to the loop looks here whether the client is still there.
  std::shared_ptr<bool> alive = std::make_shared<bool>(true);

  Parts(loop::Loop& on, Reach to) : loop(on), reach(to) {}

  void act(curl_socket_t socket, int events) {
    int running = 0;
    curl_multi_socket_action(multi, socket, events, &running);
    deliver();
  }

  // Takes what has finished; the answers go out afterwards, since they may send more.
  void deliver() {
    std::vector<std::unique_ptr<Transfer>> finished;
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      CURL* easy = message->easy_handle;
      const CURLcode code = message->data.result;
      const auto found = transfers.find(easy);
      found->second->finish(code);
      curl_multi_remove_handle(multi, easy);
      finished.push_back(std::move(found->second));
      transfers.erase(found);
    }
    const auto still = alive;
    for (auto& transfer : finished) {
      auto done = std::move(transfer->done);
      HttpReply reply = std::move(transfer->reply);
      transfer.reset();
      done(std::move(reply));
      if (!*still) return;
    }
  }

  void watch(curl_socket_t socket, int what) {
    const auto found = watches.find(socket);
    if (what == CURL_POLL_REMOVE) {
      if (found == watches.end()) return;
      loop.unwatch(found->second);
      watches.erase(found);
      return;
    }
    const bool reads = (what & CURL_POLL_IN) != 0, writes = (what & CURL_POLL_OUT) != 0;
    if (found != watches.end()) return loop.change(found->second, reads, writes);
    watches[socket] =
        loop.watch(socket, reads, writes, [this, socket](bool can_read, bool can_write) {
          act(socket, (can_read ? CURL_CSELECT_IN : 0) | (can_write ? CURL_CSELECT_OUT : 0));
        });
  }

  void set_timer(long millis) {
    if (timer != 0) loop.cancel(timer);
    timer = 0;
    if (millis < 0) return;
    timer = loop.after(Millis(millis), [this] {
      timer = 0;
      act(CURL_SOCKET_TIMEOUT, 0);
    });
  }
};

HttpClient::HttpClient(loop::Loop& loop, Reach reach)
    : parts_(std::make_unique<Parts>(loop, reach)) {
  start_curl();
  parts_->multi = curl_multi_init();
  CHECK(parts_->multi != nullptr, "no memory for HTTP");
  using SocketCallback = int (*)(CURL*, curl_socket_t, int, void*, void*);
  using TimerCallback = int (*)(CURLM*, long, void*);
  const SocketCallback on_socket = [](CURL*, curl_socket_t socket, int what, void* self, void*) {
    static_cast<Parts*>(self)->watch(socket, what);
    return 0;
  };
  const TimerCallback on_timer = [](CURLM*, long millis, void* self) {
    static_cast<Parts*>(self)->set_timer(millis);
    return 0;
  };
  curl_multi_setopt(parts_->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(parts_->multi, CURLMOPT_SOCKETDATA, parts_.get());
  curl_multi_setopt(parts_->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(parts_->multi, CURLMOPT_TIMERDATA, parts_.get());
  curl_multi_setopt(parts_->multi, CURLMOPT_MAX_HOST_CONNECTIONS, kMaxConnectionsPerHost);
}

HttpClient::~HttpClient() {
  *parts_->alive = false;
  for (auto& [easy, transfer] : parts_->transfers) curl_multi_remove_handle(parts_->multi, easy);
  parts_->transfers.clear();
  curl_multi_cleanup(parts_->multi);
  for (const auto& [socket, watch] : parts_->watches) parts_->loop.unwatch(watch);
  if (parts_->timer != 0) parts_->loop.cancel(parts_->timer);
}

void HttpClient::send(HttpRequest request, std::function<void(HttpReply)> done) {
  auto transfer = std::make_unique<Transfer>();
  transfer->request = std::move(request);
  transfer->done = std::move(done);
  transfer->reach = parts_->reach;
  transfer->prepare();
  CURL* easy = transfer->easy;
  parts_->transfers[easy] = std::move(transfer);
  curl_multi_add_handle(parts_->multi, easy);
}

HttpReply HttpClient::send_blocking(HttpRequest request, Reach reach) {
  start_curl();
  Transfer transfer;
  transfer.request = std::move(request);
  transfer.reach = reach;
  transfer.prepare();
  transfer.finish(curl_easy_perform(transfer.easy));
  return std::move(transfer.reply);
}

namespace {

// One part of a URL in lower case; empty when there is none.
std::string url_part(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK || text == nullptr) return "";
  std::string copy = text;
  curl_free(text);
  return copy;
}

struct Url {
  CURLU* handle = curl_url();
  ~Url() { curl_url_cleanup(handle); }
  bool parse(const std::string& text) {
    return curl_url_set(handle, CURLUPART_URL, text.c_str(), 0) == CURLUE_OK;
  }
};

}  // namespace

std::string origin_of(const std::string& text) {
  Url url;
  if (!url.parse(text)) return "";
  const std::string scheme = lower(url_part(url.handle, CURLUPART_SCHEME));
  if (scheme != "https" && scheme != "http") return "";
  if (!url_part(url.handle, CURLUPART_USER).empty()) return "";
  return scheme + "://" + lower(url_part(url.handle, CURLUPART_HOST)) + ":" +
         url_part(url.handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
}

std::string host_of(const std::string& text) {
  Url url;
  return url.parse(text) ? lower(url_part(url.handle, CURLUPART_HOST)) : "";
}

std::string resolve_url(const std::string& base, const std::string& target) {
  Url url;
  if (!url.parse(base) || !url.parse(target)) return "";
  return url_part(url.handle, CURLUPART_URL);
}

std::optional<Millis> read_http_date(const std::string& text) {
  const time_t date = curl_getdate(text.c_str(), nullptr);
  if (date < 0) return std::nullopt;
  return Millis(static_cast<std::int64_t>(date) * 1000);
}

}  // namespace stepwell::host
