// Server — HTTP/1.1 on a Loop, strict as RFC 9112 asks (docs/http.md says what is refused, and
// docs/decisions/0001-http-server.md why it is built of Boost.Beast's parser and our connections).
//
// The native API and the fake vendors stand on this.  A handler gets whole requests and answers
// each through its Reply, now or later: with one Response, with a Stream of pieces, or by taking
// the connection over (Upgrade).  Requests of one connection are handled one after another, in
// their order; what a client pipelines waits unread.
//
// Thread-safety: everything on the loop's thread, except Reply::operator(), which any thread may
// call.  Ownership: the loop outlives the server; a Reply and a Stream may outlive both.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "net/loop/loop.h"

namespace stepwell::http {

using Headers = std::vector<std::pair<std::string, std::string>>;

struct Request {
  std::string method;  // "GET".  HEAD comes as GET: its answer is sent without the body.
  std::string target;  // As sent, without scheme and host: "/v1/x?y=1"; or "*".
  std::string path;    // Decoded, without the query: "/v1/executions".
  std::vector<std::pair<std::string, std::string>> query;  // Decoded, in order.
  Headers headers;                                         // Names in lower case.
  std::string body;
  bool is_head = false;
  std::string upgrade;  // The protocols that the client would change to; usually empty.

  std::string header(std::string_view lower_case_name) const;  // Empty when absent.
  std::string query_value(std::string_view name) const;        // The first; empty when absent.
};

struct Response {
  int status = 200;
  // Content-Length, Date and Connection are added.  A 200 to GET with an ETag becomes 304 when the
  // client has it; a body of text or JSON is sent as gzip to who accepts it.
  Headers headers;
  std::string body;
  // For faults: close the connection before (or after half of) the answer was sent.
  enum class Cut : std::uint8_t { kNone, kBeforeReply, kHalfway } cut = Cut::kNone;

  static Response json(int status, std::string body);
  static Response text(int status, std::string body);
};

// An error as every door words it: {"code": "not_found", "message": ..., "hint": ...}.
Response refusal(int status, std::string_view code, std::string_view message,
                 std::string_view hint);

struct Ticket;  // Which request of which connection; inside Reply and Stream.

// Bytes that go out piece by piece.  A copy is the same stream.
class Stream {
 public:
  explicit Stream(std::shared_ptr<Ticket> ticket);
  // False: the client reads more slowly than this writes: write on when on_room() calls.  Who
  // writes on regardless has the connection closed at Limits::max_unsent_bytes.  Once the client
  // has gone, what is written goes nowhere.
  bool write(std::string_view bytes) const;
  // Called each time that write() may go on after it was false.
  void on_room(std::function<void()> call) const;
  void end() const;  // What was written is sent, then the answer is over.
  bool is_open() const;

 private:
  std::shared_ptr<Ticket> ticket_;
};

// Answers one request.  Only the first answer counts; a Reply of which every copy is destroyed
// unused answers 500.
class Reply {
 public:
  explicit Reply(std::shared_ptr<Ticket> ticket);
  void operator()(Response response) const;  // Any thread.

  // Called once, and the last of all calls about this request: true when the answer has gone out
  // whole; false as soon as the client is known to have hung up before (what was taken for it may
  // be given back), or the server closes.  It may be called from within the call that answers.  A
  // client that has only finished sending (half-close) still gets its answer; whether it was there
  // to read it is known after the answer was sent.
  void on_end(std::function<void(bool is_delivered)> call) const;
  // Begins an answer whose body comes in pieces; `head.body` is ignored.
  Stream stream(Response head) const;
  // Answers 101: the connection speaks `protocol` from here on.  `on_bytes` gets what comes, what
  // is written to the stream goes out as it is.  Only for a request with Request::upgrade.
  Stream upgrade(const std::string& protocol, Headers more,
                 std::function<void(std::string_view bytes)> on_bytes) const;

 private:
  std::shared_ptr<Ticket> ticket_;
};
using Handler = std::function<void(Request, Reply)>;

struct Endpoint {
  std::string host = "127.0.0.1";
  int port = 0;           // 0: any free one.
  std::string unix_path;  // If set: this instead of host and port; only its owner may connect.
  // Names that Host may have.  Empty: on a loopback address the loopback's names, so that no web
  // page reaches us under a name of its own (DNS rebinding); elsewhere any name.
  std::vector<std::string> names = {};
  std::string certificate_file = {};  // PEM, the chain; if set: TLS.
  std::string key_file = {};          // PEM.
};

// Everything has a bound.  docs/http.md tells users what happens at each.
struct Limits {
  std::size_t max_head_bytes = 16u << 10;     // Cookies, a token and a signature; 9112 asks for 8k.
  std::size_t max_fields = 100;               // Browsers send 20, proxies add 10.
  std::size_t max_body_bytes = 4u << 20;      // An input may have 256 KiB; a deployed text is less.
  std::size_t max_framing_bytes = 16u << 10;  // Chunk extensions and trailers: nobody uses them.
  std::size_t max_requests_bytes = 256u << 20;  // All that has come and is not answered, in sum.
  std::size_t max_unsent_bytes = 1u << 20;      // Of a stream that its client does not read.
  Millis idle_timeout{60'000};                  // Between requests.
  Millis head_timeout{10'000};        // From the first byte of a request to the end of its head.
  Millis body_timeout{30'000};        // From there to its end: 4 MiB at 140 kB/s.
  Millis stall_timeout{30'000};       // In which a client must take some of its answer.
  unsigned max_connections = 50'000;  // 1 KB each; less where the process may open fewer files.
};

class Server {
 public:
  // kUnavailable with the address in the message when it is taken, kDenied when not permitted,
  // kInvalid when the certificate or its key cannot be used.
  static Result<std::unique_ptr<Server>> listen(loop::Loop& loop, const Endpoint& endpoint,
                                                Handler handler, const Limits& limits = {});
  // Closes everything at once; Reply::on_end hears false.  Not from within a call that it makes.
  ~Server();
  // Stops accepting, closes what is idle, lets what is under way finish: every request that has
  // come, though it is not read yet.  What is not done by the deadline is cut off.  Then `done` is
  // called, from the loop.  Once.
  void drain(Millis deadline, std::function<void()> done);
  int port() const;
  std::string url() const;  // "http://127.0.0.1:8080"
  std::size_t connections() const;

 private:
  struct Parts;
  explicit Server(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

// "a%20b+c" -> "a b c" (plus only in queries).
std::string url_decode(std::string_view text, bool plus_is_space);
std::string url_encode(std::string_view text);
// One event of a text/event-stream; `data` may have many lines.
std::string server_sent_event(std::string_view event, std::string_view data);

}  // namespace stepwell::http
