// What RFC 9112 and 9110 ask of a request's head and no parser at hand checks: rules before the
// parser, on the bytes as they came, and rules behind it, on what it understood.
//
// The rules stand here, each with the section it is from, and not in the parser's settings: Debian
// freezes the parser's version.  tests/http/requests.jsonl has a request for each.  Pure.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "net/http/http.h"

namespace stepwell::http {

// Why a request is not handled.  The connection is closed after it: where the next request begins
// is in doubt, or the client is at the wrong door.
struct Refusal {
  int status = 0;
  std::string message, hint;
  Response to_response() const;
};

// Before the parser: line ends, blanks and control characters, and where the head is over.  Looks
// at each byte once, however they arrive.
class HeadScan {
 public:
  // The trailers behind a chunked body are lines too, without a request line.
  enum class Of : std::uint8_t { kRequest, kTrailers };
  enum class Found : std::uint8_t { kMore, kWhole, kRefused };

  explicit HeadScan(std::size_t most, Of what = Of::kRequest)
      : most_(most), is_of_request_(what == Of::kRequest), is_first_line_(is_of_request_) {}

  // `bytes` begins where the head begins, each time.
  Found scan(std::string_view bytes);
  std::size_t length() const { return at_; }  // With the empty line, once it is whole.
  const Refusal& refusal() const { return refusal_; }

 private:
  Found refuse(int status, const char* message, const char* hint = "");
  Found too_long();
  Found end_of_line(std::string_view bytes);
  bool is_allowed(char c) const;

  const std::size_t most_;
  const bool is_of_request_;
  std::size_t at_ = 0;  // Of the byte that is looked at next.
  std::size_t line_begin_ = 0;
  unsigned spaces_ = 0;  // In the request line.
  bool is_first_line_;
  bool has_cr_ = false;  // The last byte was a CR.
  Refusal refusal_;
};

// Chunk extensions and trailers in sum; 9112 7.1.1 asks for a bound.
Refusal framing_is_too_long();

// Whose names are ours; from Endpoint::names and the address.
struct HostNames {
  bool is_any = false;
  std::vector<std::string> names;  // Lower case, without a port.
  bool has(std::string_view host) const;
};

// Behind the parser.  Takes scheme and authority off an absolute target, and makes that authority
// the Host.  The first rule that is broken is told; status 0 when none is.
Refusal check_head(Request& request, int minor_version, const HostNames& ours,
                   const Limits& limits);

bool is_same_word(std::string_view a, std::string_view b);  // ASCII, whatever the case.

}  // namespace stepwell::http
