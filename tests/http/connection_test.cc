// One connection after another in memory, with a clock that stands: who waits for whom, for how
// long, and who is told.
#include <gtest/gtest.h>

#include <optional>

#include "net/http/connections.h"
#include "tests/http/memory_client.h"
#include "tests/http/still_loop.h"

namespace stepwell::http {
namespace {

constexpr char kGet[] = "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n";

std::string answer_of(const std::string& body, const std::string& more = "") {
  return "HTTP/1.1 200 OK\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\n"
         "Content-Type: text/plain; charset=utf-8\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n" + more + "\r\n" + body;
}

// A server whose handler keeps what it is asked, until the test answers.
class House {
 public:
  explicit House(const Limits& limits = {})
      : connections_(
            loop, [] { return std::int64_t{1'800'000'000}; },
            [this](Request request, Reply reply) {
              if (on_request) on_request(request, reply);
              requests.push_back(std::move(request));
              replies.push_back(std::move(reply));
            },
            limits, HostNames{true, {}}) {}

  std::shared_ptr<MemoryClient> client() {
    auto client = std::make_shared<MemoryClient>();
    connections_.add(MemoryClient::connect(client));
    return client;
  }
  std::size_t count() const { return connections_.count(); }
  Connections& connections() { return connections_; }
  // Notes how the last request ends.
  void watch_end() {
    replies.back().on_end([this](bool is_delivered) { delivered = is_delivered; });
  }

  StillLoop loop;
  std::function<void(const Request&, const Reply&)> on_request;
  std::vector<Request> requests;
  std::vector<Reply> replies;
  std::optional<bool> delivered;

 private:
  Connections connections_;
};

TEST(Connection, HandlesOneRequestAfterAnother) {
  House house;
  const auto client = house.client();
  client->send("GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\nGET /3 HT");
  ASSERT_EQ(house.requests.size(), 1u) << "the second waits for the first";
  house.replies[0](Response::text(200, "one"));
  ASSERT_EQ(house.requests.size(), 2u);
  EXPECT_EQ(client->received, answer_of("one"));
  house.replies[0](Response::text(200, "again"));  // Only the first answer counts.
  client->send("TP/1.1\r\nHost: a\r\n\r\n");
  EXPECT_EQ(house.requests.size(), 2u);
  house.replies[1](Response::text(200, "two"));
  house.replies[2](Response::text(200, "three"));
  EXPECT_EQ(client->received, answer_of("one") + answer_of("two") + answer_of("three"));
  EXPECT_FALSE(client->is_closed);
}

TEST(Connection, LeavesInTheKernelWhatIsPipelinedTooFarAhead) {
  House house;
  const auto client = house.client();
  client->send(kGet);
  client->send(std::string(60'000, 'x'));
  EXPECT_TRUE(client->is_reading);
  client->send(std::string(6'000, 'x'));
  EXPECT_FALSE(client->is_reading);
  house.replies[0](Response::text(200, "one"));  // What waited is read: it is no request.
  EXPECT_TRUE(client->is_reading);
  EXPECT_EQ(house.requests.size(), 1u);
  EXPECT_NE(client->received.find("HTTP/1.1 501"), std::string::npos);
}

TEST(Connection, AnswersWhatEverybodyHasDropped) {
  House house;
  const auto client = house.client();
  client->send(kGet);
  house.replies.clear();
  EXPECT_NE(client->received.find("HTTP/1.1 500 "), std::string::npos) << client->received;
  EXPECT_NE(client->received.find("the request was dropped without an answer"), std::string::npos);
}

// ---- the word that the client has gone

TEST(Connection, SaysThatAnAnswerWasDelivered) {
  House house;
  const auto client = house.client();
  client->send(kGet);
  house.watch_end();
  client->room = 10;  // The kernel takes no more.
  house.replies[0](Response::text(200, "one"));
  EXPECT_EQ(house.delivered, std::nullopt);
  client->take(100'000);
  EXPECT_EQ(house.delivered, true);
  EXPECT_EQ(client->received, answer_of("one"));
}

TEST(Connection, SaysAtOnceThatTheClientHungUp) {
  House house;
  const auto client = house.client();
  client->send(kGet);
  house.watch_end();
  client->reset();
  EXPECT_EQ(house.delivered, false);
  house.replies[0](Response::text(200, "to nobody"));
  EXPECT_EQ(client->received, "");
  house.delivered.reset();
  house.watch_end();  // Asked for when it is over already.
  house.loop.run_posted();
  EXPECT_EQ(house.delivered, false);
  EXPECT_EQ(house.count(), 0u);
  EXPECT_TRUE(client->is_closed);
}

TEST(Connection, AnswersAClientThatHasOnlyFinishedSending) {
  House house;
  const auto client = house.client();
  client->send(kGet);
  house.watch_end();
  client->end();
  EXPECT_EQ(house.delivered, std::nullopt);
  client->receipt = loop::Socket::Receipt::kUnknown;
  house.replies[0](Response::text(200, "one"));
  EXPECT_EQ(client->received, answer_of("one"));
  EXPECT_TRUE(client->is_finished);
  house.loop.pass(Millis(100));
  EXPECT_EQ(house.delivered, std::nullopt) << "nobody knows yet whether it is there";
  client->receipt = loop::Socket::Receipt::kReceived;
  house.loop.pass(Millis(100));
  EXPECT_EQ(house.delivered, true);
  EXPECT_TRUE(client->is_closed);
}

TEST(Connection, FindsOutThatItHadGoneInstead) {
  House house;
  const auto lost = house.client();
  lost->send(kGet);
  house.watch_end();
  lost->end();
  lost->receipt = loop::Socket::Receipt::kLost;
  house.replies[0](Response::text(200, "one"));
  EXPECT_EQ(house.delivered, false);

  house.delivered.reset();
  const auto silent = house.client();
  silent->send(kGet);
  house.watch_end();
  silent->end();
  silent->receipt = loop::Socket::Receipt::kUnknown;
  house.replies[1](Response::text(200, "one"));
  house.loop.pass(Millis(2'000));
  EXPECT_EQ(house.delivered, false) << "no answer within a second is an answer too";
  EXPECT_EQ(house.count(), 0u);
}

TEST(Connection, AnswersAllThatWasPipelinedBeforeTheEnd) {
  House house;
  const auto client = house.client();
  client->send(std::string(kGet) + kGet + "GET /half");
  client->end();
  house.replies[0](Response::text(200, "one"));
  house.replies[1](Response::text(200, "two"));
  EXPECT_EQ(client->received, answer_of("one") + answer_of("two"));
  house.loop.run_posted();
  EXPECT_TRUE(client->is_closed);
}

// ---- streams

TEST(Connection, StreamsInChunks) {
  House house;
  const auto client = house.client();
  client->send(kGet);
  house.watch_end();
  const Stream stream = house.replies[0].stream({200, {{"Content-Type", "text/event-stream"}}, {}});
  EXPECT_TRUE(stream.write(server_sent_event("tick", "a\nb")));
  EXPECT_TRUE(stream.write(""));  // An empty chunk would be the end.
  EXPECT_TRUE(stream.is_open());
  EXPECT_EQ(house.delivered, std::nullopt);
  stream.end();
  EXPECT_EQ(client->received,
            "HTTP/1.1 200 OK\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\n"
            "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
            "1d\r\nevent: tick\ndata: a\ndata: b\n\n\r\n0\r\n\r\n");
  EXPECT_EQ(house.delivered, true);
  EXPECT_FALSE(stream.is_open());
  EXPECT_FALSE(stream.write("more"));
  client->send(kGet);
  EXPECT_EQ(house.requests.size(), 2u) << "the connection lives on";
}

TEST(Connection, StreamsToHttp10UntilItCloses) {
  House house;
  const auto client = house.client();
  client->send("GET /a HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const Stream stream = house.replies[0].stream({});
  stream.write("abc");
  stream.end();
  EXPECT_EQ(
      client->received,
      "HTTP/1.1 200 OK\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\nConnection: close\r\n\r\nabc");
  EXPECT_TRUE(client->is_finished);
}

TEST(Connection, StreamsNothingToHead) {
  House house;
  const auto client = house.client();
  client->send("HEAD /a HTTP/1.1\r\nHost: a\r\n\r\n");
  const Stream stream = house.replies[0].stream({});
  EXPECT_FALSE(stream.write("abc"));
  stream.end();
  EXPECT_EQ(client->received.find("abc"), std::string::npos);
  client->send(kGet);
  EXPECT_EQ(house.requests.size(), 2u);
}

TEST(Connection, HoldsBackWhoStreamsToASlowReader) {
  House house;
  const auto client = house.client();
  client->send(kGet);
  const Stream stream = house.replies[0].stream({});
  int calls = 0;
  stream.on_room([&] { ++calls; });
  client->room = 0;
  EXPECT_TRUE(stream.write(std::string(60'000, 'x')));
  EXPECT_FALSE(stream.write(std::string(10'000, 'x')));
  client->take(30'000);
  EXPECT_EQ(calls, 0);
  client->take(std::string::npos);
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(stream.write("y"));
}

TEST(Connection, CutsOffWhoStreamsOnRegardless) {
  Limits limits;
  limits.max_unsent_bytes = 100'000;
  House house(limits);
  const auto client = house.client();
  client->send(kGet);
  house.watch_end();
  const Stream stream = house.replies[0].stream({});
  client->room = 0;
  for (int i = 0; i < 11; ++i) stream.write(std::string(10'000, 'x'));
  EXPECT_EQ(house.delivered, std::nullopt) << "never from within the call";
  house.loop.run_posted();
  EXPECT_EQ(house.delivered, false);
  EXPECT_TRUE(client->is_closed);
}

TEST(Connection, ClosesAStreamThatEverybodyHasDropped) {
  House house;
  const auto client = house.client();
  client->send(kGet);
  house.watch_end();
  (void)house.replies[0].stream({}).write("half");
  house.replies.clear();
  EXPECT_EQ(house.delivered, false);
  EXPECT_EQ(client->received.find("0\r\n\r\n"), std::string::npos) << "half must not look whole";
}

// ---- time

TEST(Connection, ClosesAnIdleConnectionWithoutAWord) {
  House house;
  const auto client = house.client();
  const auto busy = house.client();
  house.loop.pass(Millis(40'000));
  busy->send(kGet);
  house.replies[0](Response::text(200, "one"));
  house.loop.pass(Millis(20'000));
  EXPECT_TRUE(client->is_closed);
  EXPECT_EQ(client->received, "");
  EXPECT_FALSE(busy->is_closed) << "it was idle for 20 s only";
  house.loop.pass(Millis(40'000));
  EXPECT_TRUE(busy->is_closed);
  EXPECT_EQ(house.loop.timers(), 0u) << "nothing is left to wait for";
}

TEST(Connection, RefusesASlowHeadThatNeverEnds) {
  House house;
  const auto client = house.client();
  client->send("GET / HTTP/1.1\r\n");
  for (int i = 0; i < 9; ++i) {  // A byte now and then does not help.
    house.loop.pass(Millis(1'000));
    client->send("X");
  }
  EXPECT_EQ(client->received, "");
  house.loop.pass(Millis(1'000));
  EXPECT_NE(client->received.find("HTTP/1.1 408 Request Timeout"), std::string::npos);
  EXPECT_NE(client->received.find(R"({"code":"timeout","message":"the head of the request has )"
                                  R"(not come within 10.0 s","hint":""})"),
            std::string::npos)
      << client->received;
  house.loop.pass(Millis(2'000));
  EXPECT_TRUE(client->is_closed);
}

TEST(Connection, RefusesASlowBodyThatNeverEnds) {
  House house;
  const auto client = house.client();
  client->send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
  for (int i = 0; i < 29; ++i) {
    house.loop.pass(Millis(1'000));
    client->send("x");
  }
  EXPECT_EQ(client->received, "");
  house.loop.pass(Millis(1'000));
  EXPECT_NE(client->received.find("HTTP/1.1 408 Request Timeout"), std::string::npos);
}

TEST(Connection, GivesUpAClientThatTakesNothingOfItsAnswer) {
  House house;
  const auto client = house.client();
  client->send(kGet);
  house.watch_end();
  client->room = 0;
  house.replies[0](Response::text(200, std::string(100'000, 'x')));
  house.loop.pass(Millis(29'000));
  client->take(1'000);  // A little is enough, for once.
  house.loop.pass(Millis(29'000));
  EXPECT_EQ(house.delivered, std::nullopt);
  house.loop.pass(Millis(32'000));
  EXPECT_EQ(house.delivered, false);
  EXPECT_TRUE(client->is_closed);
}

TEST(Connection, LetsAHandlerTakeItsTime) {
  House house;
  const auto client = house.client();
  client->send(kGet);
  house.loop.pass(Millis(3'600'000));
  house.replies[0](Response::text(200, "one"));
  EXPECT_EQ(client->received, answer_of("one"));
}

TEST(Connection, ReadsOnForAMomentAfterItsLastAnswer) {
  House house;
  const auto client = house.client();
  client->send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  house.replies[0](Response::text(200, "one"));
  EXPECT_EQ(client->received, answer_of("one", "Connection: close\r\n"));
  EXPECT_TRUE(client->is_finished);
  client->send("what is not read any more");
  EXPECT_FALSE(client->is_closed);
  client->end();
  house.loop.run_posted();
  EXPECT_TRUE(client->is_closed);
}

// ---- bounds over all connections

TEST(Connections, MakeRoomByClosingWhoIsIdleLongest) {
  Limits limits;
  limits.max_connections = 2;
  House house(limits);
  const auto first = house.client();
  house.loop.pass(Millis(1));
  const auto second = house.client();
  house.loop.pass(Millis(1));
  first->send(kGet);
  house.replies[0](Response::text(200, "one"));  // Now the second is idle longest.
  const auto third = house.client();
  house.loop.run_posted();
  EXPECT_TRUE(second->is_closed);
  EXPECT_FALSE(first->is_closed);
  EXPECT_EQ(house.count(), 2u);
}

TEST(Connections, RefuseOneMoreWhenNobodyIsIdle) {
  Limits limits;
  limits.max_connections = 1;
  House house(limits);
  const auto busy = house.client();
  busy->send(kGet);
  const auto more = house.client();
  EXPECT_NE(more->received.find("HTTP/1.1 503 "), std::string::npos);
  EXPECT_NE(more->received.find("\r\nRetry-After: 1\r\n"), std::string::npos);
  house.loop.pass(Millis(2'000));
  EXPECT_TRUE(more->is_closed);
  EXPECT_FALSE(busy->is_closed);
}

TEST(Connections, RefuseBodiesThatAreTooMuchInSum) {
  Limits limits;
  limits.max_requests_bytes = 1'000;
  House house(limits);
  const std::string post = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 600\r\n\r\n";
  const auto first = house.client();
  first->send(post + std::string(600, 'x'));
  const auto second = house.client();
  second->send(post + std::string(600, 'x'));
  EXPECT_NE(second->received.find("HTTP/1.1 503 "), std::string::npos);
  house.replies[0](Response::text(200, "one"));
  const auto third = house.client();
  third->send(post + std::string(600, 'x'));
  EXPECT_EQ(house.requests.size(), 2u) << "what is answered makes room";
}

TEST(Connections, CountWhatHasComeOfHeadsToo) {
  Limits limits;
  limits.max_requests_bytes = 1'000;
  House house(limits);
  const std::string half = "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(500, 'x');
  const auto first = house.client();
  first->send_split(half, 100);
  const auto second = house.client();
  second->send_split(half, 100);
  EXPECT_NE(second->received.find("HTTP/1.1 503 "), std::string::npos);
  first->reset();
  house.loop.run_posted();
  const auto third = house.client();
  third->send(half);
  third->send("\r\n\r\n");
  EXPECT_EQ(house.requests.size(), 1u) << "what has gone makes room";
  const auto fourth = house.client();
  fourth->send(half);
  EXPECT_NE(fourth->received.find("HTTP/1.1 503 "), std::string::npos)
      << "the head of what is being answered counts";
}

TEST(Connections, DropWhatWasReadAheadWhenItIsTooMuchInSum) {
  Limits limits;
  limits.max_requests_bytes = 1'000;
  House house(limits);
  const auto client = house.client();
  client->send(kGet);
  for (int i = 0; i < 100; ++i) client->send(kGet);
  EXPECT_FALSE(client->is_reading);
  const auto other = house.client();
  other->send(kGet);
  ASSERT_EQ(house.requests.size(), 2u) << "what was dropped makes room";
  house.replies[0](Response::text(200, "one"));
  EXPECT_EQ(client->received, answer_of("one", "Connection: close\r\n"));
  EXPECT_TRUE(client->is_finished);
  EXPECT_EQ(house.requests.size(), 2u);
}

TEST(Connections, CloseAtOnceWhatIsFarTooMany) {
  Limits limits;
  limits.max_connections = 10;
  House house(limits);
  std::vector<std::shared_ptr<MemoryClient>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(house.client());
    clients.back()->send("GET / HTTP/1.1\r\n");
  }
  for (int i = 0; i < 100; ++i) clients.push_back(house.client());
  EXPECT_LE(house.count(), 20u);
  EXPECT_NE(clients[10]->received.find("HTTP/1.1 503 "), std::string::npos);
  EXPECT_TRUE(clients.back()->is_closed);
  house.loop.pass(Millis(2'000));
  EXPECT_EQ(house.count(), 10u) << "those that were told have gone";
}

// ---- drain

TEST(Connections, FinishWhatIsUnderWayAndThenSaySo) {
  House house;
  const auto idle = house.client();
  const auto busy = house.client();
  const auto half = house.client();
  busy->send(kGet);
  half->send("GET /half HTTP/1.1\r\n");
  bool is_done = false;
  house.connections().drain(Millis(5'000), [&] { is_done = true; });
  house.loop.run_posted();
  EXPECT_TRUE(idle->is_closed);
  EXPECT_FALSE(busy->is_closed);
  half->send("Host: a\r\n\r\n");
  house.replies[0](Response::text(200, "one"));
  house.replies[1](Response::text(200, "two"));
  EXPECT_EQ(busy->received, answer_of("one", "Connection: close\r\n"));
  EXPECT_EQ(half->received, answer_of("two", "Connection: close\r\n"));
  busy->end();
  half->end();
  EXPECT_FALSE(is_done);
  house.loop.run_posted();
  EXPECT_TRUE(is_done);
  EXPECT_EQ(house.loop.timers(), 0u);
}

TEST(Connections, AnswerWhatHadComeUnreadBeforeTheDrain) {
  House house;
  const auto client = house.client();
  client->has_unread = true;
  bool is_done = false;
  house.connections().drain(Millis(5'000), [&] { is_done = true; });
  house.loop.run_posted();
  ASSERT_FALSE(client->is_closed);
  client->send(kGet);
  house.replies[0](Response::text(200, "one"));
  EXPECT_EQ(client->received, answer_of("one", "Connection: close\r\n"));
  client->end();
  house.loop.run_posted();
  EXPECT_TRUE(is_done);
}

TEST(Connections, CutOffWhatIsNotDoneByTheDeadline) {
  House house;
  const auto busy = house.client();
  busy->send(kGet);
  house.watch_end();
  bool is_done = false;
  house.connections().drain(Millis(5'000), [&] { is_done = true; });
  house.loop.pass(Millis(4'999));
  EXPECT_FALSE(is_done);
  house.loop.pass(Millis(1));
  EXPECT_TRUE(is_done);
  EXPECT_EQ(house.delivered, false);
  EXPECT_TRUE(busy->is_closed);
}

TEST(Connections, DrainAtOnceWhenThereIsNobody) {
  House house;
  bool is_done = false;
  house.connections().drain(Millis(5'000), [&] { is_done = true; });
  house.loop.run_posted();
  EXPECT_TRUE(is_done);
}

// ---- upgrade

TEST(Connection, HandsItselfOverAfterA101) {
  House house;
  const auto client = house.client();
  std::optional<Stream> stream;
  house.on_request = [&](const Request& request, const Reply& reply) {
    EXPECT_EQ(request.upgrade, "echo");
    stream = reply.upgrade("echo", {{"X-More", "1"}},
                           [&](std::string_view bytes) { stream->write(bytes); });
  };
  client->send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nfirst");
  house.watch_end();
  house.loop.run_posted();
  client->send(" second");
  const std::string head =
      "HTTP/1.1 101 Switching Protocols\r\nDate: Fri, 15 Jan 2027 08:00:00 GMT\r\n"
      "X-More: 1\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n";
  EXPECT_EQ(client->received, head + "first second");
  house.loop.pass(Millis(3'600'000));
  client->send("!");
  EXPECT_EQ(client->received, head + "first second!") << "it is not idle as HTTP is";
  stream->end();
  EXPECT_EQ(house.delivered, true);
  EXPECT_TRUE(client->is_finished);
}

TEST(Connection, TellsWhoTookItOverThatTheClientHasGone) {
  House house;
  const auto client = house.client();
  client->send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
  const Stream stream = house.replies[0].upgrade("echo", {}, [](std::string_view) {});
  house.watch_end();
  client->end();
  EXPECT_EQ(house.delivered, false);
  EXPECT_FALSE(stream.is_open());
}

TEST(Connection, IgnoresAnUpgradeThatTheHandlerDoesNotTake) {
  House house;
  const auto client = house.client();
  client->send("GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n");
  house.replies[0](Response::text(200, "one"));
  EXPECT_EQ(client->received, answer_of("one"));
}

// ---- the end of the server

TEST(Connections, GoWithTheirServer) {
  std::optional<bool> delivered;
  StillLoop loop;
  std::optional<Reply> kept;
  auto connections = std::make_unique<Connections>(
      loop, [] { return std::int64_t{0}; },
      [&](const Request&, Reply reply) { kept = std::move(reply); }, Limits{}, HostNames{true, {}});
  const auto client = std::make_shared<MemoryClient>();
  connections->add(MemoryClient::connect(client));
  client->send(kGet);
  kept->on_end([&](bool is_delivered) { delivered = is_delivered; });
  connections.reset();
  EXPECT_EQ(delivered, false);
  EXPECT_TRUE(client->is_closed);
  (*kept)(Response::text(200, "too late"));
  loop.run_posted();
  EXPECT_EQ(loop.timers(), 0u);
}

}  // namespace
}  // namespace stepwell::http
