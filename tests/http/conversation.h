// Conversation — one client's bytes to a server in memory, and what the server made of them.
//
// The same bytes must get the same however they arrive; corpus_test, mutations_test and the fuzz
// target "http" stand on this.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace stepwell::http {

// One answer in what a server sent.
struct Seen {
  int status = 0;
  std::string head, body;
};
// The answers in `bytes`; nothing when they are not whole answers one after another.  `heads`:
// numbers of the answers (from 0, interim ones not counted) that have no body, as HEAD asked.
std::optional<std::vector<Seen>> parse_answers(std::string_view bytes,
                                               const std::vector<std::size_t>& heads);

struct Conversation {
  std::vector<std::string> requests;  // As the handler got them: "POST /x [body]".
  std::vector<Seen> answers;          // Without 100s.
  std::size_t interims = 0;
  bool is_closed = false;  // The server has closed, or has said that nothing follows.
  bool operator==(const Conversation&) const;
};

// Sends the bytes, `piece` at a time (0: all at once); `then` after what came back; and the end of
// sending if `ends`.  Every request is answered 200 with what was understood of it.
Conversation converse(std::string_view bytes, std::size_t piece, std::string_view then = {},
                      bool ends = false);

// What holds for any bytes, CHECKed: the same whole and in pieces; at most one refusal, the last
// answer, and behind it nothing; what was understood, written anew, is understood the same.
void check_any_bytes(std::string_view bytes);

}  // namespace stepwell::http
