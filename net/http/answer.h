// How an answer becomes bytes: its head, its framing, and whether it is sent at all (If-None-Match)
// or smaller (gzip).  Knows no sockets and no clock.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/http/http.h"

namespace stepwell::http {

// What an answer has to know of its request.
struct Asked {
  bool is_get = false;  // GET or HEAD.
  bool is_head = false;
  bool takes_gzip = false;
  bool keeps_alive = true;
  int minor_version = 1;
  std::string if_none_match;
};
Asked asked_by(const Request& request, int minor_version, bool keeps_alive);

// How a client finds the end of the body.
enum class Framing : std::uint8_t { kLength, kChunked, kUntilClose, kUpgrade };

// Compresses texts, one after another.  About 270 kB, so a server has one for its loop.
class Gzip {
 public:
  Gzip();
  ~Gzip();
  Gzip(const Gzip&) = delete;
  Gzip& operator=(const Gzip&) = delete;
  std::string pack(std::string_view text);

 private:
  struct Zlib;
  std::unique_ptr<Zlib> zlib_;
};

// Makes it a 304 when the client has what the ETag names; else as gzip, when that is accepted and
// worth it.  500 when a header cannot be sent: a line break in it would forge others.  Doing it
// again changes nothing.
void finish_response(Response& response, const Asked& asked, Gzip& gzip);

bool sends_body(const Response& response, const Asked& asked);
// Status line and headers, the empty line included.  `date` as HTTP words it.
void write_head(std::string& out, const Response& response, const Asked& asked, Framing framing,
                bool is_last, std::string_view date);
// A piece of a chunked body; an empty one would end it.
void write_chunk(std::string& out, std::string_view piece);

// "Tue, 01 Dec 2026 08:04:38 GMT"
std::string http_date(std::int64_t unix_seconds);

// For tests.  Accept-Encoding, 9110 12.5.3; If-None-Match, 9110 13.1.2.
bool accepts_gzip(std::string_view accept_encoding);
bool has_etag(std::string_view if_none_match, std::string_view etag);

}  // namespace stepwell::http
