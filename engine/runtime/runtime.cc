#include "engine/runtime/runtime.h"

#include <algorithm>

namespace stepwell::runtime {
namespace {

constexpr unsigned kFolders = 2, kArchivists = 1;

}  // namespace

Runtime::Runtime(store::Store& store, Programs& programs, Settings settings,
                 const Surroundings& surroundings)
    : store_(store),
      settings_(std::move(settings)),
      mono_(surroundings.clock),
      health_(settings_.health),
      clock_(mono_),
      membership_(store, {settings_.label, settings_.lease, settings_.pools}),
      programs_(programs),
      folders_(surroundings.make_pool(kFolders)),
      archivists_(surroundings.make_pool(kArchivists)),
      keeper_(
          {mono_, settings_, store_, membership_, clock_, counters_, health_, *archivists_},
          [this] { wake(); }, [this] { return holds(); }),
      follower_(mono_, settings_, health_, [this] { wake(); }),
      choice_(settings_.lanes) {}

Runtime::~Runtime() { stop(); }

// Whoever cannot ask the database for the time, or is not let in, does not run.
Status Runtime::prepare() {
  const std::int64_t before = mono_.monotonic_ms();
  clock_.correct(TRY(store_.now()), before);
  TRY(membership_.join());
  (void)keeper_.turn();  // What a predecessor of ours left is free at once.
  return ok_status();
}

Status Runtime::start_lanes(const std::vector<HandlerFactory>& factories) {
  const LaneWorld world{mono_,     settings_, store_,    membership_,  clock_, counters_,
                        programs_, ends_,     *folders_, *archivists_, health_};
  for (unsigned i = 0; i < settings_.lanes; ++i) {
    lanes_.push_back(std::make_unique<LaneThread>(world, i));
    TRY(lanes_.back()->start(factories));
  }
  return ok_status();
}

Status Runtime::run(const std::vector<HandlerFactory>& factories) {
  TRY(prepare());
  is_running_ = true;
  if (const Status status = start_lanes(factories); !status.ok()) {
    stop();
    return status;
  }
  wake();
  keeping_ = std::thread([this] { keep_until_stopped(); });
  following_ = std::thread([this] { follow_until_stopped(); });
  return ok_status();
}

void Runtime::stop() {
  if (!is_running_) return;
  is_running_ = false;
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  for (const auto& lane : lanes_) lane->end_claims();
  for (const auto& lane : lanes_) lane->stop();
  if (keeping_.joinable()) keeping_.join();
  if (following_.joinable()) following_.join();
  folders_->stop();
  archivists_->stop();
  lanes_.clear();
  membership_.leave();
}

void Runtime::begin(Beginning beginning, StartAnswer answer) {
  const std::size_t lane = choice_.choose(mono_.monotonic_ms());
  lanes_[lane]->begin(std::move(beginning), [this, lane, answer = std::move(answer)](
                                                const Result<store::StartOutcome>& outcome) {
    choice_.answered(lane);
    answer(outcome);
  });
}

void Runtime::wake() {
  for (const auto& lane : lanes_) lane->want_claim();
}

bool Runtime::holds() const {
  return std::any_of(lanes_.begin(), lanes_.end(), [](const auto& lane) { return lane->holds(); });
}

void Runtime::keep_until_stopped() {
  Millis rest = settings_.look_period;  // It has looked while the runtime was prepared.
  while (pause(rest)) rest = keeper_.turn();
}

void Runtime::follow_until_stopped() {
  bool is_hinted = false;
  while (true) {
    const Millis most = follower_.turn(is_hinted);
    is_hinted = store_.wait_for_hint(most);
    if (!pause(Millis(0))) return;
  }
}

bool Runtime::pause(Millis how_long) {
  const auto until = std::chrono::steady_clock::now() + how_long;
  const MutexLock lock(mutex_);
  while (!stopping_ && changed_.wait_until(mutex_, until)) {
  }
  return !stopping_;
}

}  // namespace stepwell::runtime
