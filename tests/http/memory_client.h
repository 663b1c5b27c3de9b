// MemoryClient — the other end of a connection, without a socket: a test is the client and the
// kernel in between.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "net/loop/socket.h"

namespace stepwell::http {

// What a test sees and decides; lives on after the server has closed its side.
struct MemoryClient {
  std::string received;
  std::size_t room = std::string::npos;  // What the kernel still takes from the server.
  bool is_reading = true;                // The server wants more.
  bool is_finished = false;              // The server has said that nothing follows.
  bool is_closed = false;                // The server has closed.
  loop::Socket::Receipt receipt = loop::Socket::Receipt::kReceived;
  bool has_unread = false;  // Something has come that the server has not heard of yet.

  loop::Socket::Events* server = nullptr;  // Null once it is closed.
  std::string waiting;                     // What the kernel did not take.
  std::uint64_t sent = 0;

  // The server's end.
  static std::unique_ptr<loop::Socket> connect(const std::shared_ptr<MemoryClient>& client);

  void send(std::string_view bytes) {
    if (server != nullptr) server->on_bytes(bytes);
  }
  // In pieces of that size.
  void send_split(std::string_view bytes, std::size_t piece) {
    for (std::size_t at = 0; at < bytes.size(); at += piece) send(bytes.substr(at, piece));
  }
  void end() {
    if (server != nullptr) server->on_end();
  }
  void reset() {
    if (server != nullptr) server->on_broken();
  }
  // Reads again: so many bytes more.
  void take(std::size_t bytes) {
    room = bytes;
    const std::size_t count = pass_on();
    if (count > 0 && waiting.empty() && server != nullptr) server->on_drained();
  }
  std::size_t pass_on() {
    const std::size_t count = std::min(room, waiting.size());
    received.append(waiting, 0, count);
    waiting.erase(0, count);
    if (room != std::string::npos) room -= count;
    sent += count;
    return count;
  }
};

class MemorySocket final : public loop::Socket {
 public:
  explicit MemorySocket(std::shared_ptr<MemoryClient> client) : client_(std::move(client)) {}
  ~MemorySocket() override {
    client_->server = nullptr;
    client_->is_closed = true;
  }
  void start(Events& events) override { client_->server = &events; }
  void set_reading(bool is_wanted) override { client_->is_reading = is_wanted; }
  void write(std::string_view first, std::string second) override {
    client_->waiting.append(first).append(second);
    client_->pass_on();
  }
  std::size_t unsent() const override { return client_->waiting.size(); }
  std::uint64_t sent() const override { return client_->sent; }
  void finish() override { client_->is_finished = true; }
  Receipt receipt() const override { return client_->receipt; }
  bool has_unread() const override { return client_->has_unread; }

 private:
  const std::shared_ptr<MemoryClient> client_;
};

inline std::unique_ptr<loop::Socket> MemoryClient::connect(
    const std::shared_ptr<MemoryClient>& client) {
  return std::make_unique<MemorySocket>(client);
}

}  // namespace stepwell::http
