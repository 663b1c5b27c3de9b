// HttpServer — HTTP/1.1 on a Loop, by libmicrohttpd (why: docs/decisions/0001-http-server.md).
// The only module that knows that library.
//
// The native API, the fake providers and later the console and the AWS protocol stand on this.
// Thread-safety: everything on the loop's thread, except Reply, which may be called from any.
// Listens on 127.0.0.1 or a unix socket unless told otherwise.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/loop/loop.h"

namespace stepwell::server {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  // "GET"
  std::string path;    // Decoded, without the query: "/v1/executions"
  std::vector<std::pair<std::string, std::string>> query;  // Decoded, in order.
  Headers headers;                                         // Names in lower case.
  std::string body;

  std::string header(const std::string& lower_case_name) const;  // Empty when absent.
  std::string query_value(const std::string& name) const;        // The first; empty when absent.
};

struct Response {
  int status = 200;
  Headers headers;  // Content-Length is added.
  std::string body;
  // For faults: close the connection before (or after half of) the answer was sent.
  enum class Cut : std::uint8_t { kNone, kBeforeReply, kHalfway } cut = Cut::kNone;

  static Response json(int status, std::string body);
  static Response text(int status, std::string body);
};

// Answers one request; call it once.  Called after the connection is gone it does nothing.
using Reply = std::function<void(Response)>;
using Handler = std::function<void(Request, Reply)>;

struct Endpoint {
  std::string host = "127.0.0.1";
  int port = 0;           // 0: any free one.
  std::string unix_path;  // If set: this instead of host and port.
};

struct HttpLimits {
  std::size_t max_body_bytes = 4u << 20;  // More: 413.
  std::size_t max_header_bytes = 16u << 10;
  Millis idle_timeout{30'000};  // Of a connection without a request; whole seconds.
  unsigned max_connections = 10'000;
};

class HttpServer {
 public:
  // kUnavailable with the address in the message when it is taken, kDenied when not permitted.
  // The loop outlives the server; a Reply may outlive both.
  static Result<std::unique_ptr<HttpServer>> listen(loop::Loop& loop, const Endpoint& endpoint,
                                                    Handler handler, const HttpLimits& limits = {});
  ~HttpServer();  // Stops accepting; open requests are dropped.
  int port() const;
  std::string url() const;  // "http://127.0.0.1:8080"

 private:
  struct Parts;
  explicit HttpServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// "a%20b+c" -> "a b c" (plus only in queries).
std::string url_decode(std::string_view text, bool plus_is_space);
std::string url_encode(std::string_view text);

}  // namespace stepwell::server
