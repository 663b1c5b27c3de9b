// Waits — callers that wait for an execution to end.
//
// An execution that a lane here owns tells its end (EndWaiters); any other is read again and again,
// ever less often, and a few at a time, so that however many wait, other questions are not refused.
// No thread waits: a wait is a value between two events.
// Thread-safety: any thread may call.  `told` is called once, on a lane's, a pool's or the alarms'
// thread, or by stop().
#pragma once

#include <stepwell/engine.h>

#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_set>

#include "base/result.h"
#include "base/sync/mutex.h"
#include "engine/runtime/alarms.h"
#include "engine/runtime/end_waiters.h"
#include "engine/store/store.h"

namespace stepwell::runtime {

class Waits {
 public:
  using OnView = std::function<void(Answer<ExecutionView>)>;
  using OnRow = std::function<void(const Result<store::ExecutionRow>&)>;
  // Reads a row without blocking; false: too many wait to be read.
  using Read = std::function<bool(const Namespace&, ExecutionId, OnRow)>;
  struct Wait;  // One of them.
  using WaitRef = std::shared_ptr<Wait>;

  static constexpr unsigned kMostReading = 2;  // Half of the threads that answer questions.
  // How long to wait before the next reading, after a pause of `last`.  So an end is told late by
  // about a quarter of what its caller has waited, and by 3 s at most.
  static Millis next_pause(Millis last);

  explicit Waits(Read read) : read_(std::move(read)) {}
  ~Waits() { stop(); }

  // From now on `here` knows which executions lanes of this process own.
  void use(EndWaiters& here) { here_ = &here; }
  void wait(const Namespace& ns, ExecutionId id, Millis at_most, OnView told);

  // For an execution that is about to be started under this id: it may have ended before its start
  // is answered.  Then exactly one of the other two.
  WaitRef expect(const Namespace& ns, ExecutionId id, Millis at_most, OnView told);
  void is_started(const WaitRef& wait, ExecutionId id);  // Or the one that had the name already.
  void is_not_started(const WaitRef& wait, const Answer<ExecutionView>& why);

  void stop();  // All that wait are told kUnavailable.  Idempotent.

 private:
  // A row to be read.  `told` gets null when too many questions wait for the database already.
  struct Reading {
    Namespace ns;
    ExecutionId id;
    std::function<void(const Result<store::ExecutionRow>*)> told;
  };

  static WaitRef make(const Namespace& ns, ExecutionId id, Millis at_most, OnView told);
  bool open(const WaitRef& wait);
  void set_deadline(const WaitRef& wait);
  void look(const WaitRef& wait);
  void ask(const WaitRef& wait);
  void ask_later(const WaitRef& wait);
  void on_row(const WaitRef& wait, const Result<store::ExecutionRow>& row);
  void queue(Reading reading);
  void begin(Reading reading);
  std::optional<Reading> take_next();
  void on_deadline(const WaitRef& wait);
  void finish(const WaitRef& wait, Answer<ExecutionView> answer);
  bool close(const WaitRef& wait);

  const Read read_;
  std::atomic<EndWaiters*> here_{nullptr};
  Mutex mutex_;
  std::unordered_set<WaitRef> open_ GUARDED_BY(mutex_);
  std::deque<Reading> to_read_ GUARDED_BY(mutex_);  // Behind those that are being read.
  unsigned reading_ GUARDED_BY(mutex_) = 0;
  bool is_stopped_ GUARDED_BY(mutex_) = false;
  Alarms alarms_;  // Last: ends first.
};

}  // namespace stepwell::runtime
