// HttpClient — outgoing HTTP on a loop, by libcurl.  The address that is connected in the end is
// checked here, whatever a name resolved to.
//
// Sends each request once: redirects, repeats and tokens are its caller's business.  On the loop's
// thread; send_blocking() on any.  Callbacks never run inside send().
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/time.h"
#include "net/loop/loop.h"

namespace stepwell::host {

struct HttpRequest {
  std::string method = "GET", url, body;
  std::vector<std::pair<std::string, std::string>> headers;
  Millis timeout{60'000};
  std::size_t max_bytes = 16u << 20;  // Of the body, decoded.
  bool is_repeatable = true;          // Otherwise never on a connection that may be stale.
};

struct HttpReply {
  enum class Failure : std::uint8_t {
    kNone,
    kBlocked,         // The address is not one that this client may connect to.
    kNoConnection,    // Nothing was sent.
    kConnectTimeout,  // Nothing was sent.
    kReadTimeout,
    kBroken,  // The connection ended before the answer did.
    kTooLarge
  };
  Failure failure = Failure::kNone;
  std::string problem;
  int status = 0;
  std::map<std::string, std::string> headers;  // Names in lower case; the last of a name.
  std::string body;
};

enum class Reach : std::uint8_t { kPublicOnly, kAnyAddress };

class HttpClient {
 public:
  HttpClient(loop::Loop& loop, Reach reach);
  ~HttpClient();  // Open requests are dropped without an answer.
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  void send(HttpRequest request, std::function<void(HttpReply)> done);
  static HttpReply send_blocking(HttpRequest request, Reach reach);

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

// scheme, host and port of an absolute URL, in lower case, the port always there:
// "https://api.example.com:443".  Empty when it is no http(s) URL, or carries a user.
std::string origin_of(const std::string& url);
std::string host_of(const std::string& url);
// `target` as seen from `base`, as a browser does it; empty when it is malformed.
std::string resolve_url(const std::string& base, const std::string& target);
// The moment that a date of HTTP ("Sun, 06 Nov 1994 08:49:37 GMT") names, since 1970.
std::optional<Millis> read_http_date(const std::string& text);

}  // namespace stepwell::host
