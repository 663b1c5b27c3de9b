// Hints — tells other processes that something may be due, and hears it from them.
//
// One thread with one connection: LISTEN, and NOTIFY for what was posted here.  Posts are coalesced
// to at most fifty a second, and none is part of a commit.  While the database is away hints get
// lost; the sweep makes up for it.  Thread-safe.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>

#include "engine/postgres/link.h"
#include "engine/store/hint_box.h"

namespace stepwell::postgres {

class Hints {
 public:
  explicit Hints(PgOptions options);
  ~Hints();
  Hints(const Hints&) = delete;
  Hints& operator=(const Hints&) = delete;

  // Wakes waiters here at once, those elsewhere soon.
  void post();
  bool wait(Millis at_most);

 private:
  void start_thread();
  void run();
  bool listen_and_tell();
  void wake_thread();

  PgOptions options_;
  std::string channel_;
  store::HintBox box_;
  int wake_fd_ = -1;
  std::atomic<bool> to_tell_{false}, stopping_{false};
  std::once_flag started_;
  std::unique_ptr<Link> link_;
  std::thread thread_;
};

}  // namespace stepwell::postgres
