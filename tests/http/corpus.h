// The requests of requests.jsonl: legal ones, broken ones, and what is made of each.
//
// A line has: "name"; "rule", the RFC and its section; "send", the bytes (a text's characters are
// bytes; {"text", "times"} repeats one), "then" what is sent after that was answered, "ends" when
// the client then says that it sends no more.  "accepts" are the requests that are understood, in
// the words of conversation.h; "refuses" the status of the refusal behind them, if any; "closes"
// whether the server closes; "continues" whether it asks for the body (100).  "could_be_taken": the
// RFC allows both, and we refuse.
#pragma once

#include <string>
#include <vector>

namespace stepwell::http {

struct BrokenRequest {
  std::string name, rule, bytes, then;
  bool ends = false;
  std::vector<std::string> accepts;
  int refuses = 0;  // 0: it does not.
  bool closes = false;
  bool continues = false;
};

// CHECKs that the file is there and well-formed.
std::vector<BrokenRequest> read_corpus();

}  // namespace stepwell::http
