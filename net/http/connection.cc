#include "net/http/connection.h"

#include <utility>

#include "base/check.h"
#include "net/http/connections.h"

namespace stepwell::http {
namespace {

constexpr std::size_t kReadAhead = 64u << 10;   // Of pipelined requests, while one is answered.
constexpr std::size_t kRoom = 64u << 10;        // Unsent, below which a stream may go on.
constexpr std::size_t kInOnePiece = 16u << 10;  // Larger bodies are not copied behind their head.
constexpr std::size_t kMostDiscarded = 16u << 20;  // Behind the last answer: then it is enough.
constexpr unsigned kMostAsked = 20;                // A second, in all.

Refusal no_memory() {
  return {503, "the requests that are under way take all the memory there is for them",
          "Try again in a moment."};
}

}  // namespace

struct Connection::Exchange {
  enum class Answer : std::uint8_t { kNone, kStream, kUpgrade, kWritten };

  Asked asked;
  Answer answer = Answer::kNone;
  bool is_chunked = false;
  bool is_last = false;     // The connection closes behind it.
  bool needs_room = false;  // write_piece() said so.
  std::function<void(bool)> on_end;
  std::function<void()> on_room;
  std::function<void(std::string_view)> on_bytes;
};

Connection::Connection(Connections& home, std::uint64_t id, std::unique_ptr<loop::Socket> socket)
    : home_(home), id_(id), socket_(std::move(socket)) {}

Connection::~Connection() = default;

void Connection::start(Deadlines::Entry deadline) {
  deadline_ = deadline;
  socket_->start(*this);
  wait(Deadlines::kIdle);
}

void Connection::wait(Deadlines::Kind kind) {
  last_sent_ = socket_->sent();
  home_.wait(deadline_, kind);
}

// ---- bytes to requests

void Connection::on_bytes(std::string_view bytes) {
  const auto kept = exchange_;  // An upgraded handler may end the exchange that it is called from.
  switch (state_) {
    case State::kClosed: return;
    case State::kClosing:
      discarded_ += bytes.size();
      if (discarded_ > kMostDiscarded) close();
      return;
    case State::kAnswering:
      if (kept->on_bytes && in_.empty()) return kept->on_bytes(bytes);
      in_.append(bytes);
      break;
    case State::kReading:
      if (in_.empty()) {
        advance(bytes);
        in_.assign(bytes);
      } else {
        in_.append(bytes);
        advance_buffered();
      }
  }
  settle();
}

void Connection::advance(std::string_view& bytes) {
  is_advancing_ = true;
  while (state_ == State::kReading && !bytes.empty()) {
    if (!reader_) reader_ = std::make_unique<Reader>(home_.limits(), home_.names());
    const Reader::Found found = reader_->read(bytes);
    if (found == Reader::Found::kRefused) {
      refuse(reader_->refusal());
    } else if (!charge(0)) {
      refuse(no_memory());
    } else if (found == Reader::Found::kRequest) {
      dispatch();
    } else if (found == Reader::Found::kMore) {
      break;
    }
  }
  is_advancing_ = false;
  if (state_ == State::kClosing || state_ == State::kClosed) bytes = {};
}

void Connection::advance_buffered() {
  std::string buffer = std::exchange(in_, {});
  std::string_view rest = buffer;
  advance(rest);
  if (rest.empty()) return;
  buffer.erase(0, buffer.size() - rest.size());
  in_ = std::move(buffer);
}

// Counts at home what is held here; `buffered`: of bytes that are not understood yet.  False: all
// connections together hold too much.
bool Connection::charge(std::size_t buffered) {
  const std::size_t held = buffered + handed_ + (reader_ ? reader_->held() : 0);
  home_.discharge(std::exchange(charged_, held));
  return home_.charge(held);
}

void Connection::dispatch() {
  const auto reader = std::move(reader_);
  has_continued_ = false;
  exchange_ = std::make_shared<Exchange>();
  exchange_->asked = asked_by(reader->request(), reader->minor_version(), reader->keeps_alive());
  ++request_;
  handed_ = reader->held();
  state_ = State::kAnswering;
  wait(Deadlines::kNone);
  home_.handle(std::move(reader->request()),
               Reply(std::make_shared<Ticket>(home_.door(), id_, request_, exchange_->asked)));
}

// While a request is being answered: bounds what waits behind it.
void Connection::hold_back() {
  const bool has_room = charge(in_.size()) || in_.empty();
  if (has_room && in_.size() < kReadAhead) return;
  if (!is_paused_) socket_->set_reading(false);
  is_paused_ = true;
  if (has_room) return;
  if (exchange_->on_bytes) return close();  // They are another protocol's: none may be missing.
  exchange_->asked.keeps_alive = false;
  exchange_->is_last = true;
  std::string().swap(in_);
  charge(0);
}

void Connection::settle() {
  if (state_ == State::kAnswering) return hold_back();
  if (state_ != State::kReading) return;
  if (has_ended_) return close();  // Half a request, or none: nothing to answer.
  if (!charge(in_.size())) return refuse(no_memory());
  if (!reader_ || !reader_->has_begun()) return;
  const auto kind = reader_->has_head() ? Deadlines::kBody : Deadlines::kHead;
  if (deadline_->kind != kind) wait(kind);
  // 9110 10.1.1: not needed by who sends the body anyway.
  if (reader_->expects_continue() && reader_->request().body.empty() && !has_continued_) {
    has_continued_ = true;
    socket_->write("HTTP/1.1 100 Continue\r\n\r\n");
  }
}

void Connection::on_end() {
  has_ended_ = true;
  if (state_ == State::kReading) return close();
  if (state_ == State::kClosing && socket_->unsent() == 0) return close();
  if (state_ != State::kAnswering) return;
  // 9112 9.6: who has only finished sending still gets the answer.  (begin_closing() finds out
  // whether it was there to read it.)
  if (exchange_->on_bytes) close();
}

void Connection::on_broken() { close(); }

// ---- answers to bytes

bool Connection::is_about(std::uint64_t request) const {
  return exchange_ != nullptr && request_ == request;
}

bool Connection::may_begin_answer() const { return exchange_->answer == Exchange::Answer::kNone; }

void Connection::set_on_end(std::function<void(bool)> call) { exchange_->on_end = std::move(call); }
void Connection::set_on_room(std::function<void()> call) { exchange_->on_room = std::move(call); }

void Connection::write_answer(Response response, Framing framing) {
  Exchange& exchange = *exchange_;
  std::string out;
  write_head(out, response, exchange.asked, framing, exchange.is_last, home_.date());
  if (framing != Framing::kLength || !sends_body(response, exchange.asked)) response.body.clear();
  if (response.cut == Response::Cut::kHalfway) response.body.resize(response.body.size() / 2);
  if (response.body.size() <= kInOnePiece) {
    socket_->write(out.append(response.body));
  } else {
    socket_->write(out, std::move(response.body));
  }
}

void Connection::answer(Response response) {
  if (response.cut == Response::Cut::kBeforeReply) return close();
  Exchange& exchange = *exchange_;
  exchange.is_last =
      !exchange.asked.keeps_alive || home_.is_draining() || response.cut == Response::Cut::kHalfway;
  finish_response(response, exchange.asked, home_.gzip());
  write_answer(std::move(response), Framing::kLength);
  answer_is_written();
}

void Connection::begin_stream(Response head) {
  Exchange& exchange = *exchange_;
  exchange.answer = Exchange::Answer::kStream;
  exchange.is_chunked = exchange.asked.minor_version > 0;
  exchange.is_last = !exchange.asked.keeps_alive || !exchange.is_chunked || home_.is_draining();
  const bool has_body = sends_body(head, exchange.asked);
  const Framing framing = exchange.is_chunked ? Framing::kChunked : Framing::kUntilClose;
  write_answer(std::move(head), framing);
  if (!has_body) answer_is_written();
}

void Connection::begin_upgrade(Response head, std::function<void(std::string_view)> on_bytes) {
  Exchange& exchange = *exchange_;
  exchange.answer = Exchange::Answer::kUpgrade;
  exchange.is_last = true;
  exchange.on_bytes = std::move(on_bytes);
  write_answer(std::move(head), Framing::kUpgrade);
  if (has_ended_) return home_.later(id_, [](Connection& self) { self.close(); });
  // What came behind the request belongs to the new protocol; the handler is not called from
  // within its own call.
  home_.later(id_, [](Connection& self) { self.hand_over_upgraded(); });
}

void Connection::hand_over_upgraded() {
  const auto kept = exchange_;
  if (state_ != State::kAnswering) return;
  if (is_paused_) socket_->set_reading(true);
  is_paused_ = false;
  const std::string bytes = std::exchange(in_, {});
  if (!bytes.empty()) kept->on_bytes(bytes);
}

bool Connection::write_piece(std::string_view bytes) {
  Exchange& exchange = *exchange_;
  const bool is_open =
      exchange.answer == Exchange::Answer::kStream || exchange.answer == Exchange::Answer::kUpgrade;
  if (!is_open || bytes.empty()) return is_open && !exchange.needs_room;
  if (exchange.is_chunked) {
    std::string out;
    write_chunk(out, bytes);
    socket_->write(out);
  } else {
    socket_->write(bytes);
  }
  const std::size_t unsent = socket_->unsent();
  if (unsent > 0 && deadline_->kind != Deadlines::kStall) wait(Deadlines::kStall);
  if (unsent > home_.limits().max_unsent_bytes) {
    home_.later(id_, [](Connection& self) { self.close(); });
  }
  if (unsent > kRoom) exchange.needs_room = true;
  return !exchange.needs_room;
}

void Connection::end_stream() {
  if (exchange_->answer == Exchange::Answer::kWritten) return;
  if (exchange_->is_chunked) socket_->write("0\r\n\r\n");
  answer_is_written();
}

void Connection::abandon() {
  switch (exchange_->answer) {
    case Exchange::Answer::kNone:
      return answer(refusal(500, "internal", "the request was dropped without an answer",
                            "The server's log says more."));
    case Exchange::Answer::kStream: return close();  // Half an answer must not look whole.
    case Exchange::Answer::kUpgrade: return end_stream();
    case Exchange::Answer::kWritten: return;
  }
}

void Connection::answer_is_written() {
  exchange_->answer = Exchange::Answer::kWritten;
  if (socket_->unsent() > 0) return wait(Deadlines::kStall);
  answer_is_out();
}

void Connection::on_drained() {
  if (state_ == State::kClosing) return last_answer_is_out();
  if (state_ != State::kAnswering) return;
  const auto kept = exchange_;
  if (kept->answer == Exchange::Answer::kWritten) return answer_is_out();
  wait(Deadlines::kNone);
  if (std::exchange(kept->needs_room, false) && kept->on_room) kept->on_room();
}

// The kernel has all of it.
void Connection::answer_is_out() {
  const bool may_have_more = is_advancing_ || !in_.empty();
  if (exchange_->is_last || (has_ended_ && !may_have_more)) return begin_closing();
  state_ = State::kReading;
  wait(Deadlines::kIdle);
  end_exchange(true);
  if (is_advancing_ || state_ != State::kReading) return;
  if (is_paused_) socket_->set_reading(true);
  is_paused_ = false;
  if (home_.is_draining() && in_.empty()) return close();
  if (!in_.empty()) advance_buffered();
  settle();
}

void Connection::end_exchange(bool is_delivered) {
  const auto exchange = std::exchange(exchange_, nullptr);
  home_.discharge(std::exchange(charged_, 0));
  handed_ = 0;
  if (exchange && exchange->on_end) exchange->on_end(is_delivered);
}

// ---- the end

void Connection::refuse(const Refusal& refusal) {
  Response response = refusal.to_response();
  Asked asked;
  asked.is_head = reader_ && (reader_->request().is_head || reader_->request().method == "HEAD");
  std::string out;
  write_head(out, response, asked, Framing::kLength, true, home_.date());
  if (sends_body(response, asked)) out += response.body;
  socket_->write(out);
  reader_.reset();
  end_exchange(false);
  begin_closing();
}

// Says that nothing follows, and reads on for a moment: closed with bytes unread, the kernel would
// answer them with a reset, which may overtake the answer.
void Connection::begin_closing() {
  state_ = State::kClosing;
  std::string().swap(in_);
  socket_->finish();
  if (is_paused_) socket_->set_reading(true);
  is_paused_ = false;
  if (socket_->unsent() > 0) return wait(Deadlines::kStall);
  last_answer_is_out();
}

void Connection::last_answer_is_out() {
  if (has_ended_) return ask_receipt();
  wait(Deadlines::kLinger);
  if (exchange_) end_exchange(true);
}

// The client had sent its end before its answer: it may have finished sending, or have gone.
void Connection::ask_receipt() {
  const auto receipt = socket_->receipt();
  if (receipt == loop::Socket::Receipt::kUnknown && ++asked_ < kMostAsked) {
    return wait(Deadlines::kAsk);
  }
  if (receipt == loop::Socket::Receipt::kReceived) end_exchange(true);
  close();
}

void Connection::close() {
  if (state_ == State::kClosed) return;
  state_ = State::kClosed;
  reader_.reset();
  socket_->set_reading(false);
  home_.bury(*this);
  end_exchange(false);
}

void Connection::close_if_idle() {
  if (state_ != State::kReading || socket_->has_unread()) return;
  if (!reader_ || !reader_->has_begun()) close();
}

void Connection::look_at_stall() {
  if (socket_->sent() == last_sent_) return close();
  wait(Deadlines::kStall);
}

void Connection::deadline_passed() {
  switch (deadline_->kind) {
    case Deadlines::kHead:
      return refuse(
          {408,
           "the head of the request has not come within " + to_human(home_.limits().head_timeout),
           ""});
    case Deadlines::kBody:
      return refuse(
          {408,
           "the body of the request has not come within " + to_human(home_.limits().body_timeout),
           ""});
    case Deadlines::kStall: return look_at_stall();
    case Deadlines::kAsk: return ask_receipt();
    case Deadlines::kIdle:
    case Deadlines::kLinger: return close();
    case Deadlines::kNone:
    case Deadlines::kKinds: CHECK(false, "a connection that waits for nothing has no deadline");
  }
}

}  // namespace stepwell::http
