// Parser — one request from bytes, by Boost.Beast's basic_parser.  parser.cc is the only file that
// sees Boost.
//
// Trusts nobody before it: what HeadScan lets pass is parsed strictly, but the rules of rules.h
// still have to be held against what comes out.  Thread-safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "net/http/http.h"
#include "net/http/rules.h"

namespace stepwell::http {

class Parser {
 public:
  // Both outlive the parser.
  Parser(Request& into, const Limits& limits);
  ~Parser();
  Parser(Parser&&) = delete;

  // The whole head, with its empty line.  Fills in method, target, headers.
  Refusal take_head(std::string_view head);
  bool has_body() const;  // After the head: more bytes are to come.
  int minor_version() const;
  bool keeps_alive() const;  // What the client asks for.
  bool is_upgrade() const;

  // Bytes behind the head; again with those that were not taken and more behind them.  Appends to
  // the body.
  struct Taken {
    std::size_t count = 0;
    bool is_whole = false;
    Refusal refusal;
  };
  Taken take_body(std::string_view bytes);

 private:
  class Beast;
  std::unique_ptr<Beast> beast_;
};

}  // namespace stepwell::http
