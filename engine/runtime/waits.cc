#include "engine/runtime/waits.h"

#include <algorithm>
#include <optional>

#include "engine/runtime/views.h"

namespace stepwell::runtime {
namespace {

constexpr Millis kFirstPause{5}, kLongestPause{3'000};
constexpr Millis kLongestWait{std::chrono::hours(24 * 365)};  // Later moments would overflow.

bool is_over(const store::ExecutionRow& row) {
  return row.status != ExecutionStatus::kRunning || !row.quarantined.empty();
}

const Error kHasStopped{ErrorCode::kUnavailable, "the engine has stopped"};
const Answer<ExecutionView> kStopped = failed<ExecutionView>(kHasStopped);

}  // namespace

// What has happened to one that was expected.
constexpr unsigned kStarted = 1, kReleased = 2;

struct Waits::Wait {
  Namespace ns;
  ExecutionId id;
  Millis at_most{0};
  OnView told;
  std::atomic<bool> is_closed{false};
  std::atomic<std::uint64_t> waiter{0};  // In EndWaiters.
  std::atomic<unsigned> happened{0};
  std::optional<Alarms::Key> deadline;  // Under Waits::mutex_: a stop may come at any time.
  Millis pause = kFirstPause;           // Of the one chain of events: look, ask, ask later.
};

Waits::WaitRef Waits::make(const Namespace& ns, ExecutionId id, Millis at_most, OnView told) {
  const auto wait = std::make_shared<Wait>();
  wait->ns = ns;
  wait->id = id;
  wait->at_most = at_most;
  wait->told = std::move(told);
  return wait;
}

// False: it is answered already, since the engine has stopped.
bool Waits::open(const WaitRef& wait) {
  {
    const MutexLock lock(mutex_);
    if (!is_stopped_) {
      open_.insert(wait);
      return true;
    }
  }
  wait->is_closed = true;
  wait->told(kStopped);
  return false;
}

// True: the caller is the one that answers.
bool Waits::close(const WaitRef& wait) {
  if (wait->is_closed.exchange(true)) return false;
  std::optional<Alarms::Key> deadline;
  {
    const MutexLock lock(mutex_);
    open_.erase(wait);
    deadline = wait->deadline;
  }
  if (deadline) alarms_.cancel(*deadline);
  return true;
}

void Waits::finish(const WaitRef& wait, Answer<ExecutionView> answer) {
  if (close(wait)) wait->told(std::move(answer));
}

void Waits::set_deadline(const WaitRef& wait) {
  const auto moment =
      std::chrono::steady_clock::now() + std::clamp(wait->at_most, Millis(0), kLongestWait);
  const Alarms::Key deadline = alarms_.at(moment, [this, wait] { on_deadline(wait); });
  {
    const MutexLock lock(mutex_);
    if (!wait->is_closed) {
      wait->deadline = deadline;
      return;
    }
  }
  alarms_.cancel(deadline);  // Whoever closed it meanwhile knew no deadline.
}

void Waits::wait(const Namespace& ns, ExecutionId id, Millis at_most, OnView told) {
  const WaitRef wait = make(ns, id, at_most, std::move(told));
  if (!open(wait)) return;
  if (at_most <= Millis(0)) return on_deadline(wait);
  set_deadline(wait);
  look(wait);
}

Waits::WaitRef Waits::expect(const Namespace& ns, ExecutionId id, Millis at_most, OnView told) {
  const WaitRef wait = make(ns, id, at_most, std::move(told));
  if (!open(wait)) return wait;
  wait->waiter = here_.load()->expect(id, [this, wait](const EndedRow& row) {
    if (row != nullptr) return finish(wait, {view_of(*row), Code::kOk, {}});
    // Before its start is answered nothing is to be read yet.
    if ((wait->happened.fetch_or(kReleased) & kStarted) != 0) ask(wait);
  });
  return wait;
}

void Waits::is_started(const WaitRef& wait, ExecutionId id) {
  if (wait->is_closed) return;
  EndWaiters& here = *here_.load();
  const ExecutionId expected = std::exchange(wait->id, id);
  set_deadline(wait);
  if ((wait->happened.fetch_or(kStarted) & kReleased) != 0) return look(wait);
  // Owned here: its release will be told.  Whoever cannot be crossed out is being told now.
  if (id == expected && here.is_held(wait->ns, id)) return;
  if (here.forget(expected, wait->waiter)) look(wait);
}

void Waits::is_not_started(const WaitRef& wait, const Answer<ExecutionView>& why) {
  here_.load()->forget(wait->id, wait->waiter);
  finish(wait, why);
}

// Registers with the lane that owns it, or reads its row.
void Waits::look(const WaitRef& wait) {
  if (wait->is_closed) return;
  if (EndWaiters* const here = here_) {
    const std::uint64_t waiter =
        here->when_released(wait->ns, wait->id, [this, wait](const EndedRow& row) {
          row != nullptr ? finish(wait, {view_of(*row), Code::kOk, {}}) : ask(wait);
        });
    wait->waiter = waiter;
    if (waiter != 0) return;
  }
  ask(wait);
}

void Waits::ask(const WaitRef& wait) {
  if (wait->is_closed) return;
  const auto tell = [this, wait](const Result<store::ExecutionRow>* row) {
    row == nullptr ? ask_later(wait) : on_row(wait, *row);
  };
  queue({wait->ns, wait->id, tell});
}

void Waits::queue(Reading reading) {
  bool is_stopped = false;
  {
    const MutexLock lock(mutex_);
    is_stopped = is_stopped_;
    if (!is_stopped && reading_ == kMostReading) return to_read_.push_back(std::move(reading));
    if (!is_stopped) ++reading_;
  }
  if (!is_stopped) return begin(std::move(reading));
  const Result<store::ExecutionRow> stopped = kHasStopped;
  reading.told(&stopped);
}

// `reading` is one of kMostReading.
void Waits::begin(Reading reading) {
  while (!read_(reading.ns, reading.id,
                [this, told = reading.told](const Result<store::ExecutionRow>& row) {
                  told(&row);
                  if (auto next = take_next()) begin(std::move(*next));
                })) {
    reading.told(nullptr);
    auto next = take_next();
    if (!next) return;
    reading = std::move(*next);
  }
}

// After one has been read.  Nothing: no more wait.
std::optional<Waits::Reading> Waits::take_next() {
  const MutexLock lock(mutex_);
  if (to_read_.empty()) {
    --reading_;
    return std::nullopt;
  }
  std::optional<Reading> next = std::move(to_read_.front());
  to_read_.pop_front();
  return next;
}

void Waits::on_row(const WaitRef& wait, const Result<store::ExecutionRow>& row) {
  if (!row.ok()) return finish(wait, failed<ExecutionView>(row.error()));
  if (is_over(*row)) return finish(wait, {view_of(*row), Code::kOk, {}});
  EndWaiters* const here = here_;
  here != nullptr && here->is_held(wait->ns, wait->id) ? look(wait) : ask_later(wait);
}

void Waits::ask_later(const WaitRef& wait) {
  const auto moment = std::chrono::steady_clock::now() + wait->pause;
  wait->pause = next_pause(wait->pause);
  alarms_.at(moment, [this, wait] { look(wait); });
}

Millis Waits::next_pause(Millis last) {
  return std::min(last + std::max(Millis(1), last / 4), kLongestPause);
}

// The answer is the view of now: it may have ended just before.
void Waits::on_deadline(const WaitRef& wait) {
  if (!close(wait)) return;
  EndWaiters* const here = here_;
  if (here != nullptr && wait->waiter != 0) here->forget(wait->id, wait->waiter);
  const auto tell = [wait](const Result<store::ExecutionRow>* row) {
    if (row == nullptr) {
      return wait->told({{}, Code::kUnavailable, "too many questions wait for the database"});
    }
    if (!row->ok()) return wait->told(failed<ExecutionView>(row->error()));
    if (is_over(**row)) return wait->told({view_of(**row), Code::kOk, {}});
    const std::string still = "execution " + wait->id.text() + " is still running";
    wait->told({view_of(**row), Code::kTimeout, still});
  };
  queue({wait->ns, wait->id, tell});
}

void Waits::stop() {
  std::unordered_set<WaitRef> open;
  std::deque<Reading> unread;
  {
    const MutexLock lock(mutex_);
    is_stopped_ = true;
    open = open_;
    unread.swap(to_read_);
  }
  alarms_.stop();
  for (const WaitRef& wait : open) finish(wait, kStopped);
  const Result<store::ExecutionRow> stopped = kHasStopped;
  for (const Reading& reading : unread) reading.told(&stopped);
}

}  // namespace stepwell::runtime
