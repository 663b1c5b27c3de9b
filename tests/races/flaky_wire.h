// FlakyWire — a unix socket before the server's, that can lose what passes through it at a chosen
// moment: the reply, the request, or only the client.
#pragma once

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "base/sync/mutex.h"
#include "engine/postgres/postgres.h"

namespace stepwell::testing {

class FlakyWire {
 public:
  // `options` must reach the server through a unix socket.
  explicit FlakyWire(const postgres::PgOptions& options);
  ~FlakyWire();
  FlakyWire(const FlakyWire&) = delete;
  FlakyWire& operator=(const FlakyWire&) = delete;

  // The same database, through this wire.
  const postgres::PgOptions& options() const { return options_; }

  // The next reply is swallowed, and its connection cut: what was asked has happened.
  void lose_next_reply() { mode_ = Mode::kLoseReply; }
  // The next request is swallowed, and its connection cut: it has not.
  void lose_next_request() { mode_ = Mode::kLoseRequest; }
  // All present clients are cut; their backends notice nothing.
  void lose_clients();

 private:
  enum class Mode { kPass, kLoseReply, kLoseRequest };
  struct Pipe {
    int client, server;
  };
  void accept_all();
  void carry(Pipe pipe);

  postgres::PgOptions options_;
  std::string folder_, backend_path_;
  int listener_ = -1;
  std::atomic<Mode> mode_{Mode::kPass};
  std::atomic<bool> stopping_{false};
  Mutex mutex_;
  std::vector<Pipe> pipes_ GUARDED_BY(mutex_);
  std::vector<std::thread> threads_ GUARDED_BY(mutex_);
  std::thread acceptor_;
};

}  // namespace stepwell::testing
