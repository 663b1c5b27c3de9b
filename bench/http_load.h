// HttpLoad — many keep-alive connections to an HTTP server, in the calling thread, with one request
// in flight on each: what 100 clients that wait for their answers do.
//
// Answers have to say their Content-Length, as ours do.  Thread-safety: none; run() blocks.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace stepwell::bench {

struct HttpLoad {
  int port = 0;           // On 127.0.0.1,
  std::string unix_path;  // or, if set, this.
  unsigned connections = 100;
  std::uint64_t requests = 0;  // In all.
  // The bytes of the request with that number, from 0; asked for just before it is sent.
  std::function<std::string(std::uint64_t number)> request;
  // Whether that answer is right.  Called for each.
  std::function<bool(std::uint64_t number, int status, std::string_view body)> is_right;
};

struct HttpLoadResult {
  std::uint64_t answered = 0;
  std::uint64_t wrong = 0;  // Answered, and not right.
  std::uint64_t lost = 0;   // The connection ended before the answer came.
  double seconds = 0;
  double cpu_seconds = 0;            // Of this thread.
  std::vector<double> latencies_ms;  // From sending to the last byte, in the order of arrival.
};

// kUnavailable when a connection cannot be opened.
Result<HttpLoadResult> run(const HttpLoad& load);

// "GET /x HTTP/1.1" or a POST of JSON, complete.
std::string http_get(std::string_view target);
std::string http_post(std::string_view target, std::string_view body,
                      std::string_view more_headers = {});

}  // namespace stepwell::bench
