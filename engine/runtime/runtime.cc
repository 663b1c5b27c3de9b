#include "engine/runtime/runtime.h"

#include <fmt/core.h>

#include <algorithm>

namespace stepwell::runtime {
namespace {

constexpr Millis kHintSlice{200};  // How long stop() may have to wait for the follower.
constexpr Millis kSlack{5};

}  // namespace

Runtime::Runtime(store::Store& store, Programs& programs, Settings settings)
    : store_(store),
      settings_(std::move(settings)),
      health_(settings_.health),
      membership_(store, {settings_.label, settings_.lease, settings_.pools}),
      programs_(programs) {}

Runtime::~Runtime() { stop(); }

Status Runtime::prepare() {
  const std::int64_t before = mono_.monotonic_ms();
  clock_.correct(TRY(store_.now()), before);
  TRY(membership_.join());
  (void)sweep();
  return ok_status();
}

Status Runtime::run(const std::vector<HandlerFactory>& factories) {
  TRY(prepare());
  is_running_ = true;
  const LaneWorld world{mono_,     settings_, store_,   membership_, clock_, figures_,
                        programs_, ends_,     folders_, archivists_, health_};
  for (unsigned i = 0; i < settings_.lanes; ++i) {
    lanes_.push_back(std::make_unique<Lane>(world, i));
    if (const Status status = lanes_.back()->start(factories); !status.ok()) {
      stop();
      return status;
    }
  }
  wake();
  sweeper_ = std::thread([this] { sweep_until_stopped(); });
  follower_ = std::thread([this] { follow_hints(); });
  return ok_status();
}

void Runtime::stop() {
  if (!is_running_) return;
  is_running_ = false;
  {
    const std::scoped_lock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (const auto& lane : lanes_) lane->stop();
  if (sweeper_.joinable()) sweeper_.join();
  if (follower_.joinable()) follower_.join();
  folders_.stop();
  archivists_.stop();
  lanes_.clear();
  membership_.leave();
}

void Runtime::begin(Beginning beginning, StartAnswer answer) {
  lanes_[next_lane_++ % lanes_.size()]->begin(std::move(beginning), std::move(answer));
}

void Runtime::wake() {
  for (const auto& lane : lanes_) lane->want_claim();
}

Status Runtime::sweep() {
  const auto report = store_.sweep();
  if (!report.ok()) return report.error();  // Away, or busy: the next round sees more.
  (report->by_evidence ? figures_.marked_by_evidence : figures_.marked_by_lease) +=
      report->writers_marked;
  figures_.freed += report->executions_freed;
  if (report->executions_freed + report->inbox_woken > 0) wake();
  return ok_status();
}

void Runtime::sweep_until_stopped() {
  const Health::Talker talker = health_.add();
  while (pause(settings_.sweep_period)) {
    health_.asks(talker, mono_.monotonic_ms());
    const Status swept = sweep();
    const std::int64_t before = mono_.monotonic_ms();
    const auto now = store_.now();
    if (now.ok()) clock_.correct(*now, before);
    if (swept.ok() && now.ok()) {
      health_.works(talker);
    } else {
      health_.fails(talker, now.ok() ? swept.error() : now.error());
    }
  }
}

// A hint is taken up at once; without one there is a look every hint_wait all the same.
void Runtime::follow_hints() {
  std::int64_t looked_ms = mono_.monotonic_ms();
  while (true) {
    const std::int64_t before = mono_.monotonic_ms();
    const Millis slice = std::min(settings_.hint_wait, kHintSlice);
    store_.wait_for_hint(slice);
    tell_news();
    if (!pause(Millis(0))) return;
    const std::int64_t now = mono_.monotonic_ms();
    const bool was_hint = now - before < (slice - kSlack).count();
    if (!was_hint && now - looked_ms < settings_.hint_wait.count()) continue;
    looked_ms = now;
    wake();
  }
}

// By the follower, since it never waits for the database itself.
void Runtime::tell_news() {
  const std::string line = health_.news(mono_.monotonic_ms());
  if (line.empty()) return;
  if (settings_.tell) return settings_.tell(line);
  fmt::print(stderr, "stepwell: {}\n", line);
}

bool Runtime::pause(Millis how_long) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, how_long, [this] { return stopping_; });
  return !stopping_;
}

}  // namespace stepwell::runtime
