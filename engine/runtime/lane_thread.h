// LaneThread — the two threads that drive one lane: its loop's, and its committer's.
//
// Thread-safety: start(), end_claims() and stop() by one thread, begin() and want_claim() by any.
#pragma once

#include <functional>
#include <thread>
#include <vector>

#include "base/sync/mutex.h"
#include "engine/runtime/lane.h"

namespace stepwell::runtime {

// Calls turn() of a committer until that is done.
class CommitterThread {
 public:
  explicit CommitterThread(Committer& committer);
  ~CommitterThread() { finish(); }

  void start();
  void end_claims();  // Blocks until no claim is under way; none will be.  Idempotent.
  void finish();      // Blocks until what is staged is written.  Idempotent.

 private:
  void run();
  void tell_of_last_claim();
  void rest(std::optional<Committer::Pause> pause);

  Committer& committer_;
  Mutex mutex_;
  CondVar changed_;
  bool is_woken_ GUARDED_BY(mutex_) = false;
  bool has_ended_claims_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

class LaneThread {
 public:
  LaneThread(const LaneWorld& world, unsigned number);
  ~LaneThread() { stop(); }

  // Begins the threads, makes the handlers, opens the session.
  Status start(const std::vector<HandlerFactory>& factories);
  // Of all the lanes that stop together, before the first of them does.
  void end_claims() { committer_.end_claims(); }
  void stop();  // Writes what is staged and gives everything back.  Idempotent.
  void begin(Beginning beginning, StartAnswer answer) {
    lane_.begin(std::move(beginning), std::move(answer));
  }
  void want_claim() { lane_.want_claim(); }
  bool holds() const { return lane_.holds(); }

 private:
  void on_loop(const std::function<void()>& work);  // Blocks until it is done.

  loop::UvLoop loop_;
  Lane lane_;
  CommitterThread committer_;
  std::thread thread_;
};

}  // namespace stepwell::runtime
