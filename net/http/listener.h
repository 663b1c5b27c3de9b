// Listener — the listening socket of an Endpoint, a port or a unix socket, and who comes in by it.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "net/http/http.h"
#include "net/http/rules.h"
#include "net/loop/loop.h"

namespace stepwell::http {

// Thread-safety: the loop's thread.
class Listener {
 public:
  // kUnavailable when the address is taken, kDenied when it is not permitted.
  static Result<std::unique_ptr<Listener>> open(const Endpoint& endpoint);
  ~Listener();  // Closes it; the file of a unix socket is removed.
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  // From here on `take` gets each connection: a non-blocking descriptor, the receiver's to close.
  void start(loop::Loop& loop, std::function<void(int descriptor)> take);
  // Takes those who have connected already: closed now, the queue would hang up on them.
  void take_waiting();
  int port() const { return port_; }                       // 0 for a unix socket.
  const std::string& address() const { return address_; }  // "127.0.0.1:8080" or "/path".
  const HostNames& names() const { return names_; }        // Those Host may have.

 private:
  Listener(int descriptor, std::string address);
  static Result<std::unique_ptr<Listener>> open_unix(const std::string& path);
  static Result<std::unique_ptr<Listener>> open_tcp(const Endpoint& endpoint);
  void accept_waiting();
  bool accept_one();

  const int descriptor_;
  // Closed for a moment when the process may open no more files, so that the next client can be
  // taken and hung up on: left in the queue it would wake the loop for ever.
  int spare_;
  int port_ = 0;
  std::string address_, unix_path_;
  HostNames names_;
  loop::Loop* loop_ = nullptr;
  loop::WatchId watch_ = 0;
  std::function<void(int)> take_;
};

}  // namespace stepwell::http
