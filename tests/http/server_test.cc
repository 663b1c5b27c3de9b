// The HTTP server over real sockets: what a well-behaved client, a hurried one and a broken one
// see.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>
#include <future>
#include <thread>

#include "net/http/http.h"
#include "tests/http/served.h"
#include "tests/server/http_client.h"

namespace stepwell::http {
namespace {

using server::Answer;
using server::HttpClient;

// Says back what arrived.
void echo(const Request& request, const Reply& reply) {
  std::string text = request.method + " " + request.path;
  for (const auto& [name, value] : request.query) text += " " + name + "=" + value;
  if (!request.body.empty()) text += " [" + request.body + "]";
  reply(Response::text(200, text));
}

TEST(Http, AnswersManyRequestsOnOneConnection) {
  Served served(&echo);
  HttpClient client(served.port());
  for (int i = 0; i < 100; ++i) {
    const Answer answer = client.get("/item/" + std::to_string(i));
    ASSERT_EQ(answer.status, 200);
    ASSERT_EQ(answer.body, "GET /item/" + std::to_string(i));
  }
  EXPECT_EQ(served.url(), "http://127.0.0.1:" + std::to_string(served.port()));
}

TEST(Http, DecodesThePathAndTheQuery) {
  Served served(&echo);
  HttpClient client(served.port());
  EXPECT_EQ(client.get("/a%20b/c%2Fd?x=1+2&empty&y=%C3%A9&x=3").body,
            "GET /a b/c/d x=1 2 empty= y=\xC3\xA9 x=3");
}

TEST(Http, GivesEveryHeaderWithItsNameInLowerCase) {
  Served served([](const Request& request, const Reply& reply) {
    reply(Response::json(201, request.header("idempotency-key") + "|" + request.header("x-none")));
  });
  HttpClient client(served.port());
  const Answer answer = client.call("POST", "/", "{}", "Idempotency-Key: k-1\r\n");
  EXPECT_EQ(answer.status, 201);
  EXPECT_EQ(answer.body, "k-1|");
  EXPECT_EQ(answer.headers.at("content-type"), "application/json");
}

TEST(Http, AnswersAPipelineInItsOrder) {
  Served served(&echo);
  HttpClient client(served.port());
  std::string pipeline;
  for (int i = 0; i < 20; ++i) {
    pipeline += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  }
  client.send(pipeline);
  for (int i = 0; i < 20; ++i) EXPECT_EQ(client.receive().body, "GET /" + std::to_string(i));
}

TEST(Http, ReadsABodyInChunks) {
  Served served(&echo);
  HttpClient client(served.port());
  client.send(
      "POST /c HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nWiki\r\n");
  client.send("5\r\npedia\r\n0\r\n\r\n");
  EXPECT_EQ(client.receive().body, "POST /c [Wikipedia]");
  EXPECT_EQ(client.get("/after").body, "GET /after");
}

TEST(Http, ReadsALargeBodyWhole) {
  Served served(
      [](const Request& request, const Reply& reply) { reply(Response::text(200, request.body)); });
  HttpClient client(served.port());
  std::string body;
  for (int i = 0; i < 400'000; ++i) body += std::to_string(i % 10);
  EXPECT_EQ(client.call("PUT", "/", body).body, body);
}

TEST(Http, RefusesABodyOverTheLimitWith413) {
  Limits limits;
  limits.max_body_bytes = 1000;
  Served served(&echo, {}, limits);
  const std::string too_large =
      R"({"code":"too_large","message":"the body is larger than 1000 bytes","hint":"send less"})";
  HttpClient exact(served.port());
  EXPECT_EQ(exact.call("POST", "/", std::string(1000, 'x')).status, 200);
  HttpClient over(served.port());
  const Answer refused = over.call("POST", "/", std::string(1001, 'x'));
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.body, too_large);
  HttpClient promised(served.port());  // Refused for what its header says, before the body came.
  promised.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999999999\r\n\r\n");
  EXPECT_EQ(promised.receive().status, 413);
  HttpClient endless(served.port());  // Never says how much.
  endless.send("POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 10; ++i) endless.send("3e8\r\n" + std::string(1000, 'x') + "\r\n");
  EXPECT_EQ(endless.receive().body, too_large);
}

TEST(Http, RefusesWhatIsNotHttp) {
  Served served(&echo);
  const std::string requests[] = {
      "nonsense\r\n\r\n",
      "GET / HTTP/1.1\r\n\r\n",  // No Host.
      "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(40'000, 'y') + "\r\n\r\n",
      "GET /" + std::string(40'000, 'y') + " HTTP/1.1\r\nHost: a\r\n\r\n",
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  };
  for (const std::string& request : requests) {
    HttpClient client(served.port());
    client.send(request);
    const Answer answer = client.receive();
    EXPECT_TRUE(answer.status == 0 || (answer.status >= 400 && answer.status < 500))
        << answer.status << " for " << request.substr(0, 60);
  }
  HttpClient well(served.port());
  EXPECT_EQ(well.get("/still/here").status, 200);
}

TEST(Http, OneSlowAnswerHoldsUpNobodyElse) {
  std::promise<Reply> held;
  Served served([&held](const Request& request, const Reply& reply) {
    if (request.path == "/slow") {
      held.set_value(reply);
    } else {
      reply(Response::text(200, "fast"));
    }
  });
  HttpClient slow(served.port());
  slow.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const Reply reply = held.get_future().get();
  HttpClient fast(served.port());
  EXPECT_EQ(fast.get("/").body, "fast");
  reply(Response::text(200, "at last"));  // From this thread, which is not the loop's.
  reply(Response::text(500, "twice"));    // A second answer is none.
  EXPECT_EQ(slow.receive().body, "at last");
  EXPECT_EQ(slow.get("/").body, "fast");
}

// It is compressed by who answers, not by the loop.
TEST(Http, ALongAnswerFromElsewhereIsCompressedToo) {
  std::promise<Reply> held;
  Served served([&held](const Request&, const Reply& reply) { held.set_value(reply); });
  HttpClient client(served.port());
  client.send("GET /long HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n");
  held.get_future().get()(Response::text(200, std::string(100'000, 'x')));
  const Answer answer = client.receive();
  EXPECT_EQ(answer.headers.at("content-encoding"), "gzip");
  EXPECT_EQ(answer.headers.at("vary"), "Accept-Encoding");
  EXPECT_LT(answer.body.size(), 1'000u);
}

TEST(Http, ServesManyConnectionsAtOnce) {
  Served served(&echo);
  std::vector<std::thread> threads;
  std::atomic<int> right{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        HttpClient client(served.port());
        const std::string name = "/" + std::to_string(t) + "/" + std::to_string(i);
        right += client.get(name).body == "GET " + name ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right.load(), 400);
}

TEST(Http, CutsAReplyWhereItIsTold) {
  Served served([](const Request& request, const Reply& reply) {
    Response response = Response::text(200, "0123456789");
    if (request.path == "/before") response.cut = Response::Cut::kBeforeReply;
    if (request.path == "/halfway") response.cut = Response::Cut::kHalfway;
    reply(response);
  });
  HttpClient before(served.port());
  EXPECT_EQ(before.get("/before").status, 0);
  HttpClient halfway(served.port());
  const Answer half = halfway.get("/halfway");
  EXPECT_EQ(half.status, 200);
  EXPECT_EQ(half.body, "01234");
  EXPECT_FALSE(half.is_whole);
  HttpClient whole(served.port());
  EXPECT_TRUE(whole.get("/whole").is_whole);
}

TEST(Http, ClosesWithRequestsUnderWayAndTakesLateAnswers) {
  std::promise<Reply> held;
  Served served([&held](const Request&, const Reply& reply) { held.set_value(reply); });
  HttpClient client(served.port());
  client.send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  const Reply reply = held.get_future().get();
  served.close();
  EXPECT_TRUE(client.is_closed());
  reply(Response::text(200, "too late"));
}

TEST(Http, ForgetsAClientThatLeft) {
  std::promise<Reply> held;
  Served served([&held](const Request& request, const Reply& reply) {
    if (request.path == "/leaves") {
      held.set_value(reply);
    } else {
      reply(Response::text(200, "here"));
    }
  });
  {
    HttpClient client(served.port());
    client.send("GET /leaves HTTP/1.1\r\nHost: localhost\r\n\r\n");
    held.get_future().get()(Response::text(200, std::string(1'000'000, 'x')));
  }
  HttpClient other(served.port());
  EXPECT_EQ(other.get("/").body, "here");
}

class TemporaryFolder {
 public:
  TemporaryFolder() : path_("/tmp/stepwell-http-XXXXXX") { path_ = ::mkdtemp(path_.data()); }
  ~TemporaryFolder() { ::rmdir(path_.c_str()); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

TEST(Http, ListensOnAUnixSocketForItsOwnerOnly) {
  TemporaryFolder folder;
  Endpoint endpoint;
  endpoint.unix_path = folder.path() + "/api.sock";
  {
    Served served(&echo, endpoint);
    HttpClient client(endpoint.unix_path);
    EXPECT_EQ(client.get("/by/file").body, "GET /by/file");
    EXPECT_EQ(served.url(), "unix:" + endpoint.unix_path);
    struct stat found {};
    ASSERT_EQ(::stat(endpoint.unix_path.c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777, 0600u);
  }
  EXPECT_NE(::access(endpoint.unix_path.c_str(), F_OK), 0) << "the socket file is left behind";
}

TEST(Http, LeavesAFileAloneThatIsNotASocket) {
  TemporaryFolder folder;
  Endpoint endpoint;
  endpoint.unix_path = folder.path() + "/notes.txt";
  std::ofstream(endpoint.unix_path) << "do not lose this";
  loop::UvLoop loop;
  const auto server = Server::listen(loop, endpoint, &echo);
  ASSERT_FALSE(server.ok());
  EXPECT_EQ(server.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(server.error().message,
            "cannot listen on " + endpoint.unix_path +
                ": what is there is not a socket; move it away, or choose another path");
  std::string kept;
  std::getline(std::ifstream(endpoint.unix_path), kept);
  EXPECT_EQ(kept, "do not lose this");
  ::unlink(endpoint.unix_path.c_str());
}

// A socket that listens, accepts nobody, and has no room for one more to wait; or nobody's.
class Silent {
 public:
  explicit Silent(const std::string& path) {
    address_.sun_family = AF_UNIX;
    path.copy(address_.sun_path, sizeof address_.sun_path - 1);
    descriptors_.push_back(::socket(AF_UNIX, SOCK_STREAM, 0));
    EXPECT_EQ(::bind(descriptors_[0], generic(), sizeof address_), 0);
    EXPECT_EQ(::listen(descriptors_[0], 0), 0);
  }
  ~Silent() { close(); }
  void fill() {
    int connected = 0;
    while (connected == 0) {
      descriptors_.push_back(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
      connected = ::connect(descriptors_.back(), generic(), sizeof address_);
    }
  }
  void close() {
    for (const int descriptor : std::exchange(descriptors_, {})) ::close(descriptor);
  }

 private:
  const sockaddr* generic() const { return reinterpret_cast<const sockaddr*>(&address_); }
  sockaddr_un address_{};
  std::vector<int> descriptors_;
};

TEST(Http, TakesTheSocketOfADeadProcessOnly) {
  TemporaryFolder folder;
  Endpoint endpoint;
  endpoint.unix_path = folder.path() + "/api.sock";
  Silent silent(endpoint.unix_path);
  silent.fill();
  loop::UvLoop loop;
  const auto refused = Server::listen(loop, endpoint, &echo);
  ASSERT_FALSE(refused.ok()) << "it listens, though it takes nobody now";
  EXPECT_EQ(refused.error().message, "cannot listen on " + endpoint.unix_path +
                                         ": Address already in use; another program listens there");
  silent.close();
  Served served(&echo, endpoint);
  HttpClient client(endpoint.unix_path);
  EXPECT_EQ(client.get("/mine").body, "GET /mine");
}

TEST(Http, SaysThatThePortIsTaken) {
  Served served(&echo);
  loop::UvLoop loop;
  Endpoint endpoint;
  endpoint.port = served.port();
  const auto second = Server::listen(loop, endpoint, &echo);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(second.error().message,
            "cannot listen on 127.0.0.1:" + std::to_string(served.port()) +
                ": Address already in use; another program listens there: choose another port");
}

TEST(UrlCodec, RoundTripsEveryByteAndLeavesBadEscapesAlone) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  EXPECT_EQ(url_decode(url_encode(all), false), all);
  EXPECT_EQ(url_encode("a b+c/~"), "a%20b%2Bc%2F~");
  EXPECT_EQ(url_decode("a%20b+c", true), "a b c");
  EXPECT_EQ(url_decode("a%20b+c", false), "a b+c");
  EXPECT_EQ(url_decode("100%", true), "100%");
  EXPECT_EQ(url_decode("%zz%4", true), "%zz%4");
}

}  // namespace
}  // namespace stepwell::http
