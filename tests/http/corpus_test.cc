// What is made of 164 legal and broken requests: in memory, whole and in pieces; over real sockets;
// and of many thousand variants of them.
#include "tests/http/corpus.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/random.h"
#include "base/value.h"
#include "tests/http/conversation.h"
#include "tests/http/served.h"

namespace stepwell::http {
namespace {

std::vector<int> statuses_of(const std::vector<Seen>& answers) {
  std::vector<int> statuses;
  for (const Seen& seen : answers) statuses.push_back(seen.status);
  return statuses;
}

std::vector<int> wanted_statuses(const BrokenRequest& one) {
  std::vector<int> statuses(one.accepts.size(), 200);
  if (one.refuses != 0) statuses.push_back(one.refuses);
  return statuses;
}

// Every refusal is our JSON, with its three members, and says that the connection closes.
void expect_refusal(const Seen& seen, const std::string& name) {
  EXPECT_NE(seen.head.find("\r\nConnection: close\r\n"), std::string::npos) << name;
  EXPECT_NE(seen.head.find("\r\nContent-Type: application/json\r\n"), std::string::npos) << name;
  const auto body = parse_json(seen.body);
  ASSERT_TRUE(body.ok() && body->is_object()) << name << ": " << seen.body;
  for (const char* member : {"code", "message", "hint"}) {
    EXPECT_NE(body->find(member), nullptr) << name << ": " << seen.body;
  }
}

TEST(Corpus, HasEveryRuleOnce) {
  const auto all = read_corpus();
  std::set<std::string> names;
  for (const BrokenRequest& one : all) EXPECT_TRUE(names.insert(one.name).second) << one.name;
  EXPECT_EQ(all.size(), 164u);
}

TEST(Corpus, IsTreatedAsItSaysWholeAndInPieces) {
  for (const BrokenRequest& one : read_corpus()) {
    for (const std::size_t piece : {0u, 1u, 7u, 100u}) {
      SCOPED_TRACE(one.name + " (" + one.rule + ") in pieces of " + std::to_string(piece));
      const Conversation seen = converse(one.bytes, piece, one.then, one.ends);
      EXPECT_EQ(seen.requests, one.accepts);
      EXPECT_EQ(statuses_of(seen.answers), wanted_statuses(one));
      EXPECT_EQ(seen.is_closed, one.closes);
      EXPECT_TRUE(seen.interims == 0 || one.continues || one.name == "expect-100-body-there");
      EXPECT_TRUE(seen.interims == 1 || !one.continues);
      if (one.refuses != 0 && !seen.answers.empty()) expect_refusal(seen.answers.back(), one.name);
    }
  }
}

// Every way to split it: Boost.Beast asserts that this never stops behind "0\r\n\r".
TEST(Corpus, AnEmptyBodyInChunksMayArriveInAnyTwoParts) {
  const std::string head =
      "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (const std::string body : {"0\r\n\r\n", "0;a\r\n\r\n", "0\r\nX: 1\r\n\r\n"}) {
    for (std::size_t first = 1; first < head.size() + body.size(); ++first) {
      const Conversation seen = converse(head + body, first);
      EXPECT_EQ(seen.requests, std::vector<std::string>{"POST /x"}) << first;
      EXPECT_FALSE(seen.is_closed) << first;
    }
  }
}

// All that a server says to these bytes, after which the client sends no more.
std::string ask(int port, std::string_view bytes) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const timeval patience{20, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) break;  // Refused already: what was said is read below.
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  ::shutdown(fd, SHUT_WR);
  std::string answer;
  char buffer[65536];
  ssize_t n = 0;
  while ((n = ::recv(fd, buffer, sizeof buffer, 0)) > 0) {
    answer.append(buffer, static_cast<std::size_t>(n));
  }
  EXPECT_EQ(n, 0) << "closed with a reset, or not at all";
  ::close(fd);
  return answer;
}

TEST(Corpus, IsTreatedTheSameOverSockets) {
  Served served([](const Request& request, const Reply& reply) {
    std::string text = (request.is_head ? "HEAD" : request.method) + " " + request.target;
    if (!request.body.empty()) text += " [" + request.body + "]";
    reply(Response::text(200, text));
  });
  for (const BrokenRequest& one : read_corpus()) {
    SCOPED_TRACE(one.name + " (" + one.rule + ")");
    const bool is_head = one.bytes.substr(0, 4) == "HEAD";
    auto answers =
        parse_answers(ask(served.port(), one.bytes + one.then),
                      is_head ? std::vector<std::size_t>{0} : std::vector<std::size_t>{});
    ASSERT_TRUE(answers.has_value());
    std::erase_if(*answers, [](const Seen& seen) { return seen.status == 100; });
    EXPECT_EQ(statuses_of(*answers), wanted_statuses(one));
    for (std::size_t i = is_head ? 1 : 0; i < std::min(answers->size(), one.accepts.size()); ++i) {
      EXPECT_EQ((*answers)[i].body, one.accepts[i]);
    }
  }
}

// ---- variants

const std::vector<std::string> kPieces = {"\r\n",
                                          "\n",
                                          "\r",
                                          " ",
                                          "\t",
                                          std::string(1, '\0'),
                                          ":",
                                          ";",
                                          ",",
                                          "0",
                                          "chunked",
                                          "Transfer-Encoding: chunked\r\n",
                                          "Content-Length: 2\r\n",
                                          "\r\n\r\n",
                                          "HTTP/1.1",
                                          "\xff",
                                          "Host: localhost\r\n",
                                          "2\r\n{}\r\n",
                                          "0\r\n\r\n",
                                          "\"",
                                          "%",
                                          "Connection: close\r\n",
                                          "Expect: 100-continue\r\n",
                                          "HEAD / HTTP/1.1\r\n",
                                          "7fffffffffffffff\r\n"};

std::string changed(std::string bytes, const std::vector<std::string>& seeds, Random& dice) {
  const std::size_t at = dice.below(bytes.size() + 1);
  switch (dice.below(5)) {
    case 0: bytes.insert(at, kPieces[dice.below(kPieces.size())]); break;
    case 1: bytes.erase(at, 1 + dice.below(5)); break;
    case 2:
      if (at < bytes.size()) bytes[at] = static_cast<char>(dice.below(256));
      break;
    case 3: bytes.insert(at, bytes.substr(dice.below(bytes.size() + 1), 60)); break;
    default: {
      const std::string& other = seeds[dice.below(seeds.size())];
      bytes = bytes.substr(0, at) + other.substr(dice.below(other.size() + 1));
    }
  }
  return bytes;
}

TEST(Corpus, HasVariantsThatAreReadInOneWayOnly) {
  const char* given = std::getenv("STEPWELL_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20261201;
  SCOPED_TRACE("STEPWELL_SEED=" + std::to_string(seed));
  std::vector<std::string> seeds;
  for (const BrokenRequest& one : read_corpus()) {
    if (one.bytes.size() < 2000) seeds.push_back(one.bytes);
  }
  constexpr int kVariants = 20'000;  // A second or two; ./dev fuzz http goes on from here.
  for (int i = 0; i < kVariants; ++i) {
    Random dice(seed + static_cast<std::uint64_t>(i));
    std::string bytes = seeds[dice.below(seeds.size())];
    for (std::uint64_t n = 1 + dice.below(3); n > 0; --n) bytes = changed(bytes, seeds, dice);
    ASSERT_NO_THROW(check_any_bytes(bytes)) << json_quote(bytes);
  }
}

}  // namespace
}  // namespace stepwell::http
