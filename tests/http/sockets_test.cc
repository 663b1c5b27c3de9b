// What only real sockets show: who has hung up, what is left of a dead process, and the kernel's
// bounds.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <future>
#include <optional>

#include "tests/http/served.h"
#include "tests/server/http_client.h"

namespace stepwell::http {
namespace {

using server::HttpClient;

constexpr char kGet[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

class TemporaryFolder {
 public:
  TemporaryFolder() : path_("/tmp/stepwell-http-XXXXXX") { path_ = ::mkdtemp(path_.data()); }
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// A server that keeps one request, and tells how it ended.
class Kept {
 public:
  explicit Kept(const Endpoint& endpoint = {})
      : served_(
            [this](const Request&, const Reply& reply) {
              reply.on_end([this](bool is_delivered) { end_.set_value(is_delivered); });
              reply_.set_value(reply);
            },
            endpoint) {}
  int port() const { return served_.port(); }
  void wait_for_request() { kept_.emplace(reply_.get_future().get()); }
  // Whether it was delivered.  What has happened to the socket before is seen first: the loop
  // looks at its descriptors between one of these calls and the next.
  bool answer(const std::string& body) {
    for (int i = 0; i < 3; ++i) served_.on_loop([](Server&) {});
    (*kept_)(Response::text(200, body));
    return end_.get_future().get();
  }

 private:
  std::promise<Reply> reply_;
  std::promise<bool> end_;
  std::optional<Reply> kept_;
  Served served_;
};

TEST(Sockets, TellThatAClientWhichFinishedSendingWasThere) {
  TemporaryFolder folder;
  Endpoint file;
  file.unix_path = folder.path() + "/api.sock";
  for (const Endpoint& endpoint : {Endpoint{}, file}) {
    Kept kept(endpoint);
    auto client = endpoint.unix_path.empty() ? std::make_unique<HttpClient>(kept.port())
                                             : std::make_unique<HttpClient>(endpoint.unix_path);
    client->send(kGet);
    client->finish_sending();
    kept.wait_for_request();
    std::string received;
    std::thread reader([&] {
      received = client->receive().body;
      EXPECT_TRUE(client->is_closed());
    });
    EXPECT_TRUE(kept.answer("for you"));
    reader.join();
    EXPECT_EQ(received, "for you");
  }
}

TEST(Sockets, TellThatAClientHadGone) {
  TemporaryFolder folder;
  Endpoint file;
  file.unix_path = folder.path() + "/api.sock";
  for (const Endpoint& endpoint : {Endpoint{}, file}) {
    Kept kept(endpoint);
    {
      auto client = endpoint.unix_path.empty() ? std::make_unique<HttpClient>(kept.port())
                                               : std::make_unique<HttpClient>(endpoint.unix_path);
      client->send(kGet);
      kept.wait_for_request();
    }
    EXPECT_FALSE(kept.answer("for nobody")) << endpoint.unix_path;
  }
}

TEST(Sockets, OfADeadProcessAreReplacedThoseOfALivingAreNot) {
  TemporaryFolder folder;
  Endpoint endpoint;
  endpoint.unix_path = folder.path() + "/api.sock";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  endpoint.unix_path.copy(address.sun_path, sizeof address.sun_path - 1);
  const int dead = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  ASSERT_EQ(::bind(dead, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  ::close(dead);  // The file stays.
  const auto handler = [](const Request&, const Reply& reply) { reply(Response::text(200, "")); };
  Served served(handler, endpoint);
  EXPECT_EQ(HttpClient(endpoint.unix_path).get("/").status, 200);

  loop::UvLoop loop;
  const auto second = Server::listen(loop, endpoint, handler);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().message, "cannot listen on " + endpoint.unix_path +
                                        ": Address already in use; another program listens "
                                        "there");
  EXPECT_EQ(HttpClient(endpoint.unix_path).get("/").status, 200) << "and goes on doing so";
}

TEST(Sockets, AreServedUnderTheirOwnNamesOnly) {
  const auto handler = [](const Request&, const Reply& reply) { reply(Response::text(200, "")); };
  const auto status_for = [](int port, const std::string& host) {
    HttpClient client(port);
    client.send("GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
    return client.receive().status;
  };
  Served local(handler);
  EXPECT_EQ(status_for(local.port(), "LOCALHOST:1234"), 200);
  EXPECT_EQ(status_for(local.port(), "[::1]"), 200);
  EXPECT_EQ(status_for(local.port(), "rebound.example"), 421);
  Endpoint named;
  named.names = {"api.example"};
  Served other(handler, named);
  EXPECT_EQ(status_for(other.port(), "api.example"), 200);
  EXPECT_EQ(status_for(other.port(), "127.0.0.1"), 200);
  EXPECT_EQ(status_for(other.port(), "rebound.example"), 421);
  Endpoint everywhere;
  everywhere.host = "0.0.0.0";
  Served open(handler, everywhere);
  EXPECT_EQ(status_for(open.port(), "any.example"), 200);
}

TEST(Sockets, AreHungUpOnWhenTheProcessMayOpenNoMoreFiles) {
  Served served([](const Request&, const Reply& reply) { reply(Response::text(200, "here")); });
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const int client = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const rlimit none{static_cast<rlim_t>(client) + 1, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  std::vector<int> taken;
  for (int fd = 0; (fd = ::dup(client)) >= 0;) taken.push_back(fd);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(served.port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(client, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  char byte = 0;
  const ssize_t n = ::recv(client, &byte, 1, 0);
  EXPECT_TRUE(n == 0 || (n < 0 && errno == ECONNRESET)) << n;
  for (const int fd : taken) ::close(fd);
  ::close(client);
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(HttpClient(served.port()).get("/").body, "here");
}

TEST(Sockets, AreDrained) {
  std::promise<Reply> held;
  Served served([&](const Request& request, const Reply& reply) {
    if (request.path == "/held") {
      held.set_value(reply);
    } else {
      reply(Response::text(200, "quick"));
    }
  });
  HttpClient idle(served.port()), busy(served.port());
  EXPECT_EQ(idle.get("/").body, "quick");
  busy.send("GET /held HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const Reply reply = held.get_future().get();
  std::promise<void> drained;
  served.on_loop(
      [&](Server& server) { server.drain(Millis(60'000), [&] { drained.set_value(); }); });
  EXPECT_TRUE(idle.is_closed());
  EXPECT_THROW(HttpClient(served.port()), std::runtime_error) << "nobody listens any more";
  reply(Response::text(200, "finished"));
  const auto last = busy.receive();
  EXPECT_EQ(last.body, "finished");
  EXPECT_EQ(last.headers.at("connection"), "close");
  EXPECT_TRUE(busy.is_closed());
  busy.finish_sending();
  drained.get_future().wait();
}

TEST(Sockets, AreAnsweredThoughTheDrainCameBeforeTheyWereAccepted) {
  Served served([](const Request&, const Reply& reply) { reply(Response::text(200, "late")); });
  std::unique_ptr<HttpClient> client;
  std::promise<void> drained;
  served.on_loop([&](Server& server) {  // The loop accepts nobody meanwhile.
    client = std::make_unique<HttpClient>(served.port());
    client->send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    server.drain(Millis(60'000), [&] { drained.set_value(); });
  });
  EXPECT_EQ(client->receive().body, "late");
  client->finish_sending();
  drained.get_future().wait();
}

TEST(Sockets, ChangeProtocolWhenAskedTo) {
  Served served([](const Request&, const Reply& reply) {
    auto stream = std::make_shared<std::optional<Stream>>();
    *stream = reply.upgrade("echo", {}, [stream](std::string_view bytes) {
      (*stream)->write(bytes);
      if (bytes.find('.') != std::string_view::npos) (*stream)->end();
    });
  });
  HttpClient client(served.port());
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n");
  EXPECT_EQ(client.receive().status, 101);
  client.send("to and fro");
  EXPECT_EQ(client.receive_bytes(10), "to and fro");
  client.send("over.");
  EXPECT_EQ(client.receive_bytes(5), "over.");
  EXPECT_TRUE(client.is_closed());
}

// A reader that stops holds the writer back, and gets everything when it reads on.
TEST(Sockets, CarryALongStreamToASlowReader) {
  constexpr int kPieces = 2'000;
  const std::string piece(10'000, 'x');
  Served served([&](const Request&, const Reply& reply) {
    auto left = std::make_shared<int>(kPieces);
    const Stream stream = reply.stream({});
    auto go_on = [=, &piece] {
      while (*left > 0) {
        --*left;
        if (!stream.write(piece)) return;
      }
      stream.end();
    };
    stream.on_room(go_on);
    go_on();
  });
  HttpClient client(served.port());
  client.send(kGet);
  const std::string head_end = "\r\n\r\n";
  std::string head;
  while (head.find(head_end) == std::string::npos) head += client.receive_bytes(1);
  const std::string chunk = "2710\r\n" + piece + "\r\n";
  for (int i = 0; i < kPieces; ++i) ASSERT_EQ(client.receive_bytes(chunk.size()), chunk) << i;
  EXPECT_EQ(client.receive_bytes(5), "0\r\n\r\n");
}

}  // namespace
}  // namespace stepwell::http
