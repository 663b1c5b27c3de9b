// Connection — one client: its bytes to requests, the handler's answers to bytes, one request at a
// time.
//
//   reading ── a whole request ──> answering ── the answer is out ──> reading ...
//      │ broken, too large, late        │ the last answer
//      └───────── a refusal ────────────┴──> closing ── the client has closed ──> closed
//
// Bytes of the next requests wait in `in_` while one is being answered (9112 9.3.2 lets only safe
// ones run side by side), and beyond kReadAhead in the kernel.  When the requests of all
// connections take too much memory, those that wait are dropped: the client sees the connection
// close behind the answer, and may send them again.  An idle connection holds no buffer and no
// parser.  Thread-safety: the loop's thread.  Ownership: Connections owns it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "net/http/answer.h"
#include "net/http/deadlines.h"
#include "net/http/http.h"
#include "net/http/reader.h"
#include "net/loop/socket.h"

namespace stepwell::http {

class Connections;

class Connection final : public loop::Socket::Events {
 public:
  Connection(Connections& home, std::uint64_t id, std::unique_ptr<loop::Socket> socket);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  std::uint64_t id() const { return id_; }
  void start(Deadlines::Entry deadline);
  void refuse(const Refusal& refusal);  // Answers it, and closes.
  void close();                         // At once; Reply::on_end hears false.
  void close_if_idle();                 // A request that has come, though unread, is none.
  void deadline_passed();
  Deadlines::Entry deadline() const { return deadline_; }

  // ---- what handlers do, through a Ticket whose request this still is
  bool is_about(std::uint64_t request) const;
  bool may_begin_answer() const;  // Nothing of the answer has been begun.
  void answer(Response response);
  void set_on_end(std::function<void(bool)> call);
  void set_on_room(std::function<void()> call);
  void begin_stream(Response head);
  void begin_upgrade(Response head, std::function<void(std::string_view)> on_bytes);
  bool write_piece(std::string_view bytes);
  void end_stream();
  void abandon();  // Nobody is left who could answer, or go on.

 private:
  void on_bytes(std::string_view bytes) override;
  void on_end() override;
  void on_broken() override;
  void on_drained() override;

  enum class State : std::uint8_t { kReading, kAnswering, kClosing, kClosed };
  // The request that is being answered.
  struct Exchange;

  void advance(std::string_view& bytes);
  void advance_buffered();
  void dispatch();
  bool charge(std::size_t buffered);
  void hold_back();
  void settle();  // After bytes: what is waited for now, and whether more is read.
  void write_answer(Response response, Framing framing);
  void answer_is_written();
  void answer_is_out();
  void end_exchange(bool is_delivered);
  void begin_closing();
  void last_answer_is_out();
  void ask_receipt();
  void hand_over_upgraded();
  void look_at_stall();
  void wait(Deadlines::Kind kind);

  Connections& home_;
  const std::uint64_t id_;
  std::unique_ptr<loop::Socket> socket_;
  Deadlines::Entry deadline_;
  std::unique_ptr<Reader> reader_;      // While a request is coming in.
  std::shared_ptr<Exchange> exchange_;  // While it is being answered.
  std::string in_;                      // What has come and is not understood yet.
  std::uint64_t request_ = 0;           // Number of the last request.
  std::size_t handed_ = 0;              // Bytes of the one that is being answered.
  std::size_t charged_ = 0;             // What is counted at home of all that it holds.
  std::uint64_t last_sent_ = 0;         // When the clock was looked at last.
  std::size_t discarded_ = 0;           // Bytes after the last answer.
  unsigned asked_ = 0;                  // How often for the receipt.
  State state_ = State::kReading;
  bool has_ended_ = false;  // The client sends no more.
  bool is_advancing_ = false;
  bool has_continued_ = false;  // 100 was sent for the request that comes in.
  bool is_paused_ = false;      // Its bytes stay in the kernel.
};

}  // namespace stepwell::http
