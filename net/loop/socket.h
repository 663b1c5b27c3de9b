// Socket — a connected stream of bytes on a Loop: TCP, a unix socket, or what wraps one (TLS).
//
// Bytes that come are handed to the owner's Events; bytes that go out are written at once as far
// as the kernel takes them, the rest waits inside and unsent() counts it.  An idle socket holds no
// buffer.  Thread-safety: the loop's thread only.  Ownership: who holds the Socket is who is told;
// destroying it closes the connection at once.  It must not be destroyed while it calls an event:
// put that off with Loop::post.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "net/loop/loop.h"

namespace stepwell::loop {

class Socket {
 public:
  // Never called from within a call to the socket: always from the loop.
  class Events {
   public:
    virtual void on_bytes(std::string_view bytes) = 0;  // The view is good during the call.
    virtual void on_end() = 0;      // The other side sends no more; it may still be reading.
    virtual void on_broken() = 0;   // Reset, or unusable; no event follows.
    virtual void on_drained() = 0;  // The kernel took the last of what had to wait.

   protected:
    virtual ~Events() = default;
  };
  // What became of all that was written, once finish() was called.
  enum class Receipt : std::uint8_t {
    kUnknown,   // Not yet decided: ask again in a moment.
    kReceived,  // The other side's kernel has acknowledged all of it.
    kLost,      // The other side had closed before all of it arrived.
  };

  virtual ~Socket() = default;
  // Once, before anything else; reading begins.
  virtual void start(Events& events) = 0;
  // While false, bytes stay in the kernel, whose full buffer then holds back the sender.
  virtual void set_reading(bool is_wanted) = 0;
  // Sends `first`, then `second`.  Only what must wait of `first` is copied; `second` is kept.
  virtual void write(std::string_view first, std::string second) = 0;
  void write(std::string_view bytes) { write(bytes, {}); }
  virtual std::size_t unsent() const = 0;
  virtual std::uint64_t sent() const = 0;  // What the kernel has taken, ever.
  // No write follows: once all is sent, the other side is told so (a half-close).
  virtual void finish() = 0;
  virtual Receipt receipt() const = 0;
  // Bytes have come that no event has handed over yet: closed now, they would be answered with a
  // reset.
  virtual bool has_unread() const = 0;
};

// Takes over a connected, non-blocking descriptor.
std::unique_ptr<Socket> open_socket(Loop& loop, int descriptor);

}  // namespace stepwell::loop
