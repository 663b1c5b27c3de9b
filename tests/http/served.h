// Served — a Server on a loop on a thread of its own, for tests over real sockets.
#pragma once

#include <future>
#include <memory>
#include <string>
#include <thread>

#include "net/http/http.h"
#include "net/loop/loop.h"

namespace stepwell::http {

class Served {
 public:
  explicit Served(Handler handler, const Endpoint& endpoint = {}, const Limits& limits = {}) {
    server_ = Server::listen(loop_, endpoint, std::move(handler), limits).value();
    thread_ = std::thread([this] { loop_.run(); });
  }
  ~Served() {
    loop_.post([this] {
      server_.reset();
      loop_.stop();
    });
    thread_.join();
  }
  Served(const Served&) = delete;
  Served& operator=(const Served&) = delete;

  int port() const { return server_->port(); }
  std::string url() const { return server_->url(); }
  loop::Loop& loop() { return loop_; }
  // Does something with the server, on its loop, and waits for that.
  template <class Act>
  void on_loop(Act act) {
    std::promise<void> done;
    loop_.post([&] {
      act(*server_);
      done.set_value();
    });
    done.get_future().wait();
  }
  // Closes the server, but leaves the loop running.
  void close() {
    on_loop([this](Server&) { server_.reset(); });
  }

 private:
  loop::UvLoop loop_;
  std::unique_ptr<Server> server_;
  std::thread thread_;
};

}  // namespace stepwell::http
