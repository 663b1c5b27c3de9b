#include "tests/http/conversation.h"

#include <algorithm>
#include <charconv>

#include "base/check.h"
#include "net/http/connections.h"
#include "tests/http/memory_client.h"
#include "tests/http/still_loop.h"

namespace stepwell::http {
namespace {

std::string field_of(std::string_view head, std::string_view name) {
  const std::size_t at = head.find("\r\n" + std::string(name) + ": ");
  if (at == std::string_view::npos) return {};
  const std::size_t begin = at + name.size() + 4;
  return std::string(head.substr(begin, head.find("\r\n", begin) - begin));
}

HostNames local_names() { return {false, {"localhost", "127.0.0.1", "[::1]"}}; }

// A request as it was understood, for people and for comparing.
std::string in_words(const Request& request) {
  std::string text = (request.is_head ? "HEAD" : request.method) + " " + request.target;
  if (!request.body.empty()) text += " [" + request.body + "]";
  return text;
}

// The same request, written plainly.
std::string written_anew(const Request& request) {
  std::string text =
      (request.is_head ? "HEAD" : request.method) + " " + request.target + " HTTP/1.1\r\n";
  bool has_host = false;
  for (const auto& [name, value] : request.headers) {
    if (name == "content-length" || name == "transfer-encoding" || name == "connection" ||
        name == "expect") {
      continue;
    }
    has_host = has_host || name == "host";
    text += name + ": " + value + "\r\n";
  }
  if (!has_host) text += "Host: localhost\r\n";
  if (!request.body.empty()) {
    text += "Content-Length: " + std::to_string(request.body.size()) + "\r\n";
  }
  return text + "\r\n" + request.body;
}

struct Talk {
  Conversation conversation;
  std::vector<Request> understood;
};

Talk talk(std::string_view bytes, std::size_t piece, std::string_view then, bool ends,
          const Limits& limits = {}) {
  Talk talk;
  std::vector<std::size_t> heads;
  StillLoop loop;
  Connections connections(
      loop, [] { return std::int64_t{1'800'000'000}; },
      [&](const Request& request, const Reply& reply) {
        if (request.is_head) heads.push_back(talk.understood.size());
        talk.understood.push_back(request);
        talk.conversation.requests.push_back(in_words(request));
        reply(Response::text(200, in_words(request)));
      },
      limits, local_names());
  const auto client = std::make_shared<MemoryClient>();
  connections.add(MemoryClient::connect(client));
  client->send_split(bytes, piece == 0 ? std::max<std::size_t>(bytes.size(), 1) : piece);
  if (!then.empty()) client->send(then);
  if (ends) client->end();
  loop.run_posted();
  const auto answers = parse_answers(client->received, heads);
  CHECK(answers.has_value(), "the server sends whole answers: " + client->received);
  for (const Seen& seen : *answers) {
    if (seen.status == 100) {
      ++talk.conversation.interims;
    } else {
      talk.conversation.answers.push_back(seen);
    }
  }
  talk.conversation.is_closed = client->is_closed || client->is_finished;
  return talk;
}

}  // namespace

std::optional<std::vector<Seen>> parse_answers(std::string_view bytes,
                                               const std::vector<std::size_t>& heads) {
  std::vector<Seen> all;
  std::size_t number = 0;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos || bytes.substr(0, 9) != "HTTP/1.1 ") return std::nullopt;
    Seen seen;
    seen.head = std::string(bytes.substr(0, end + 2));
    std::from_chars(bytes.data() + 9, bytes.data() + 12, seen.status);
    bytes.remove_prefix(end + 4);
    const bool is_head = std::find(heads.begin(), heads.end(), number) != heads.end();
    if (seen.status != 100) {
      ++number;
      const std::string length = field_of(seen.head, "Content-Length");
      if (length.empty()) return std::nullopt;
      std::size_t size = is_head ? 0 : std::stoul(length);
      if (bytes.empty() && seen.status >= 400) size = 0;  // The refusal of a HEAD.
      if (size > bytes.size()) return std::nullopt;
      seen.body = std::string(bytes.substr(0, size));
      bytes.remove_prefix(size);
    }
    all.push_back(std::move(seen));
  }
  return all;
}

bool Conversation::operator==(const Conversation& other) const {
  const auto same = [](const Seen& a, const Seen& b) {
    return a.head == b.head && a.body == b.body;
  };
  return requests == other.requests && is_closed == other.is_closed &&
         std::equal(answers.begin(), answers.end(), other.answers.begin(), other.answers.end(),
                    same);
}

Conversation converse(std::string_view bytes, std::size_t piece, std::string_view then, bool ends) {
  return talk(bytes, piece, then, ends).conversation;
}

void check_any_bytes(std::string_view bytes) {
  const Talk whole = talk(bytes, 0, {}, false);
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, std::size_t{100}}) {
    CHECK(converse(bytes, piece) == whole.conversation, "the same in pieces");
  }
  const Conversation& seen = whole.conversation;
  const bool is_refused = !seen.answers.empty() && seen.answers.back().status != 200;
  CHECK(seen.answers.size() == seen.requests.size() + (is_refused ? 1 : 0),
        "an answer to each request, and at most one refusal");
  for (std::size_t i = 0; i < seen.requests.size(); ++i) {
    CHECK(seen.answers[i].status == 200, "a request that reached the handler has its answer");
  }
  if (is_refused) CHECK(seen.is_closed, "a refusal is the last word");
  std::string anew;
  for (const Request& request : whole.understood) anew += written_anew(request);
  Limits wider;  // It may be a little longer than it came.
  wider.max_head_bytes *= 2;
  wider.max_fields *= 2;
  CHECK(talk(anew, 0, {}, false, wider).conversation.requests == seen.requests,
        "written anew it is understood the same");
}

}  // namespace stepwell::http
