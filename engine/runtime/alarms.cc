#include "engine/runtime/alarms.h"

namespace stepwell::runtime {

Alarms::Alarms() : thread_([this] { run(); }) {}

Alarms::~Alarms() { stop(); }

void Alarms::stop() {
  {
    const MutexLock lock(mutex_);
    is_stopping_ = true;
    set_.clear();
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

Alarms::Key Alarms::at(Moment moment, std::function<void()> ring) {
  MutexLock lock(mutex_);
  const Key key{moment, ++count_};
  if (is_stopping_) return key;
  set_.emplace(key, std::move(ring));
  // A thread that wakes earlier anyway is left alone: most waits end long before their alarm.
  const bool is_earlier = moment < sleeps_until_;
  lock.unlock();
  if (is_earlier) changed_.notify_one();
  return key;
}

void Alarms::cancel(const Key& key) {
  const MutexLock lock(mutex_);
  set_.erase(key);
}

void Alarms::run() {
  MutexLock lock(mutex_);
  while (!is_stopping_) {
    sleeps_until_ = set_.empty() ? Moment::max() : set_.begin()->first.first;
    if (set_.empty()) {
      changed_.wait(mutex_);
      continue;
    }
    if (std::chrono::steady_clock::now() < sleeps_until_) {
      changed_.wait_until(mutex_, Moment(sleeps_until_));
      continue;
    }
    const auto ring = std::move(set_.begin()->second);
    set_.erase(set_.begin());
    lock.unlock();
    ring();
    lock.lock();
  }
}

}  // namespace stepwell::runtime
