// Reader — one strict request out of the bytes of a connection: the rules before the parser, the
// parser, the rules behind it.  Knows no sockets and no clock.
//
// Thread-safety: none.  The limits and names outlive it.
#pragma once

#include <optional>
#include <string_view>

#include "net/http/http.h"
#include "net/http/parser.h"
#include "net/http/rules.h"

namespace stepwell::http {

class Reader {
 public:
  Reader(const Limits& limits, const HostNames& names) : limits_(limits), names_(names) {}

  enum class Found : std::uint8_t {
    kMore,     // All there is was looked at; what is left in `bytes` is to be given again.
    kHead,     // The head is good, and a body is to come.  Told once; read on.
    kRequest,  // It is whole.
    kRefused,
  };
  // Takes what it can from the front of `bytes`.
  Found read(std::string_view& bytes);

  bool has_begun() const { return has_begun_; }  // More than an empty line has come.
  bool has_head() const { return parser_.has_value(); }
  Request& request() { return request_; }
  // Bytes that it has taken and keeps.
  std::size_t held() const { return head_bytes_ + request_.body.size(); }
  int minor_version() const { return parser_->minor_version(); }
  bool keeps_alive() const { return parser_->keeps_alive(); }
  bool expects_continue() const { return expects_continue_; }
  const Refusal& refusal() const { return refusal_; }

 private:
  Found refuse(Refusal refusal);
  Found read_head(std::string_view& bytes);
  Found read_body(std::string_view& bytes);
  void understand_target();

  const Limits& limits_;
  const HostNames& names_;
  Request request_;
  std::optional<HeadScan> scan_;  // Until the head is whole,
  std::optional<Parser> parser_;  // and then this.
  std::size_t head_bytes_ = 0;
  bool has_begun_ = false;
  bool has_skipped_ = false;  // An empty line before the request.
  bool expects_continue_ = false;
  Refusal refusal_;
};

}  // namespace stepwell::http
