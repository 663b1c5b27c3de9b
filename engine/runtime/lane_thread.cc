#include "engine/runtime/lane_thread.h"

#include <future>

namespace stepwell::runtime {

CommitterThread::CommitterThread(Committer& committer) : committer_(committer) {
  committer_.on_work([this] {
    {
      const MutexLock lock(mutex_);
      is_woken_ = true;
    }
    changed_.notify_all();
  });
}

void CommitterThread::start() {
  thread_ = std::thread([this] { run(); });
}

void CommitterThread::end_claims() {
  if (!thread_.joinable()) return;
  committer_.claim_no_more();
  const MutexLock lock(mutex_);
  while (!has_ended_claims_) changed_.wait(mutex_);
}

void CommitterThread::finish() {
  if (!thread_.joinable()) return;
  committer_.finish();
  thread_.join();
}

void CommitterThread::run() {
  while (true) {
    const std::optional<Committer::Pause> pause = committer_.turn();
    if (committer_.has_claimed_its_last()) tell_of_last_claim();
    if (committer_.is_done()) return;
    if (pause != Committer::Pause(0)) rest(pause);
  }
}

void CommitterThread::tell_of_last_claim() {
  {
    const MutexLock lock(mutex_);
    if (std::exchange(has_ended_claims_, true)) return;
  }
  changed_.notify_all();
}

void CommitterThread::rest(std::optional<Committer::Pause> pause) {
  const auto until = std::chrono::steady_clock::now() + pause.value_or(Committer::Pause(0));
  const MutexLock lock(mutex_);
  while (!is_woken_) {
    if (!pause) {
      changed_.wait(mutex_);
    } else if (!changed_.wait_until(mutex_, until)) {
      break;
    }
  }
  is_woken_ = false;
}

LaneThread::LaneThread(const LaneWorld& world, unsigned number)
    : lane_(world, loop_, number), committer_(lane_.committer()) {}

Status LaneThread::start(const std::vector<HandlerFactory>& factories) {
  std::promise<Status> made;
  loop_.post([&] { made.set_value(lane_.make_handlers(factories)); });
  thread_ = std::thread([this] { loop_.run(); });
  Status status = made.get_future().get();
  if (status.ok()) status = lane_.committer().open();
  if (status.ok()) committer_.start();
  if (!status.ok()) stop();
  return status;
}

void LaneThread::stop() {
  if (!thread_.joinable()) return;
  on_loop([this] { lane_.flush_last(); });
  committer_.finish();
  on_loop([this] { lane_.clear(); });
  loop_.stop();
  thread_.join();
}

void LaneThread::on_loop(const std::function<void()>& work) {
  std::promise<void> done;
  loop_.post([&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

}  // namespace stepwell::runtime
