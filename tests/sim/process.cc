#include "tests/sim/process.h"

#include <fmt/core.h>

#include <algorithm>

#include "tests/sim/definitions.h"

namespace stepwell::sim {
namespace {

constexpr unsigned kLanes = 2;

runtime::Settings quiet(runtime::Settings settings) {
  settings.tell = [](const std::string&) {};
  return settings;
}

}  // namespace

SimLane::SimLane(const runtime::LaneWorld& lane_world, World& world, const LifeRef& process,
                 unsigned number)
    : scheduler_(world.scheduler),
      loop_life_(std::make_shared<Life>(Life{false, 0, process})),
      committer_life_(std::make_shared<Life>(Life{false, 0, process})),
      loop_(scheduler_, lane_world.mono, loop_life_),
      lane_(lane_world, loop_, number) {
  lane_.committer().on_work(
      [this] { drive_committer(scheduler_.now() + scheduler_.between(1, 200)); });
}

Status SimLane::start(std::shared_ptr<SimTasks> tasks) {
  tasks_ = std::move(tasks);
  TRY(lane_.make_handlers({[this](loop::Loop&, unsigned) { return tasks_; }}));
  return lane_.committer().open();
}

void SimLane::drive_committer(Micros when) {
  if (turn_at_ != 0 && turn_at_ <= when) return;
  turn_at_ = when;
  scheduler_.at(committer_life_, when, [this, number = ++turns_] {
    if (number != turns_) return;
    turn_at_ = 0;
    const std::optional<runtime::Committer::Pause> rest = lane_.committer().turn();
    after_turn();
    if (!rest) return;
    const Micros pause = rest->count() == 0 ? scheduler_.between(20, 400) : rest->count();
    drive_committer(scheduler_.now() + pause);
  });
}

void SimLane::after_turn() {
  const runtime::Committer& committer = lane_.committer();
  if (claims_ended_ && committer.has_claimed_its_last()) std::exchange(claims_ended_, nullptr)();
  if (!stopped_ || !committer.is_done()) return;
  loop_.post([this, stopped = std::exchange(stopped_, nullptr)] {
    lane_.clear();
    loop_life_->is_dead = true;
    stopped();
  });
}

void SimLane::end_claims(std::function<void()> ended) {
  claims_ended_ = std::move(ended);
  lane_.committer().claim_no_more();
}

void SimLane::stop(std::function<void()> stopped) {
  loop_.post([this, stopped = std::move(stopped)] {
    stopped_ = stopped;
    lane_.flush_last();
    lane_.committer().finish();
  });
}

runtime::Settings draw_settings(Scheduler& scheduler) {
  runtime::Settings settings;
  settings.lease = Millis(3'000);
  settings.snapshot_facts = 4 + scheduler.below(8);
  settings.park_beyond = Millis(1'500);
  settings.reconcile_period = Millis(3'000);
  settings.unserved_retry = Millis(2'000);
  if (scheduler.chance(0.3)) settings.max_held = 1 + scheduler.below(6);
  return settings;
}

Process::Process(World& world, Witness& witness, unsigned number, runtime::Settings settings,
                 Fates fates)
    : world_(world),
      fates_(std::move(fates)),
      mono_(world.scheduler, world.scheduler.between(0, 100'000'000)),
      settings_(quiet(std::move(settings))),
      store_(world, witness, aims(), life_, fmt::format("n{}", number)),
      witness_(witness),
      membership_(store_, {.label = "sim", .lease = settings_.lease}),
      store_clock_(mono_),
      programs_(store_, mono_),
      folders_(world.scheduler, life_),
      archivists_(world.scheduler, life_),
      keeper_(
          {mono_, settings_, store_, membership_, store_clock_, counters_, health_, archivists_},
          [this] { wake(); }, [this] { return holds(); }),
      follower_(mono_, settings_, health_, [this] { wake(); }) {}

Process::~Process() { life_->is_dead = true; }

Status Process::boot() {
  const std::int64_t before = mono_.monotonic_ms();
  store_clock_.correct(TRY(store_.now()), before);
  TRY(membership_.join());
  for (unsigned i = 0; i < kLanes; ++i) {
    const runtime::LaneWorld lane_world{mono_,        settings_,   store_,    membership_,
                                        store_clock_, counters_,   programs_, ends_,
                                        folders_,     archivists_, health_};
    lanes_.push_back(std::make_unique<SimLane>(lane_world, world_, life_, i));
    TRY(lanes_.back()->start(std::make_shared<SimTasks>(world_, witness_, life_, fates_.crash)));
  }
  wake();
  keep_later(Millis(0));
  follow_later(Millis(0));
  return ok_status();
}

void Process::wake() {
  for (const auto& lane : lanes_) lane->lane().want_claim();
}

bool Process::holds() const {
  return std::any_of(lanes_.begin(), lanes_.end(),
                     [](const auto& lane) { return lane->lane().holds(); });
}

void Process::keep_later(Millis pause) {
  world_.scheduler.at(life_, world_.scheduler.now() + pause.count() * 1'000, [this] {
    if (!is_stopping_) keep_later(keeper_.turn());
  });
}

void Process::follow_later(Millis pause) {
  const Micros when = world_.scheduler.now() + pause.count() * 1'000;
  world_.scheduler.at(life_, when, [this, number = ++followed_] {
    if (number == followed_ && !is_stopping_) follow_later(follower_.turn(false));
  });
}

void Process::on_hint() {
  const Micros when = world_.scheduler.now() + world_.scheduler.between(100, 2'000);
  world_.scheduler.at(life_, when, [this] {
    if (!is_stopping_) follow_later(follower_.turn(true));
  });
}

void Process::begin(runtime::Beginning beginning, runtime::StartAnswer answer) {
  lanes_[next_lane_++ % lanes_.size()]->lane().begin(std::move(beginning), std::move(answer));
}

SimLane& Process::any_lane() { return *lanes_[world_.scheduler.below(lanes_.size())]; }

// The windows of races are narrow: what would hit them is sent there.
Aims Process::aims() {
  Aims aims;
  aims.on_park = [this](ExecutionId id) {
    if (world_.is_healed() || !world_.scheduler.chance(0.15)) return;
    world_.tally.count("race: stop against park");
    fates_.stop_execution(id);
  };
  aims.on_commit = [this] {
    if (world_.is_healed() || !world_.scheduler.chance(0.002)) return;
    world_.tally.count("fault: crash between commit and dispatch");
    fates_.crash();
  };
  aims.on_fenced = [this] { on_fenced(); };
  aims.on_given_back = [this](const store::ExecutionSet& ids) {
    world_.tally.count("recovery: given back in order", ids.size());
    given_back_.insert(ids.begin(), ids.end());
  };
  // Its tasks would run again, in the process that has just run them.
  aims.on_claimed = [this](ExecutionId id) {
    if (given_back_.contains(id)) throw Broken("a process that stops takes up what it gave back");
  };
  return aims;
}

// Answers come in while the lane does not know, and what it makes of them is late.
void Process::on_fenced() {
  world_.tally.count("recovery: fenced");
  for (const auto& lane : lanes_) {
    if (!world_.scheduler.chance(0.7)) continue;
    lane->hold_round(world_.scheduler.between(1'000, 300'000));
    lane->tasks().answer_one();
  }
}

// As Runtime does it: all lanes claim no more before the first of them gives back what it has.
void Process::shut_down(const std::function<void()>& gone) {
  is_stopping_ = true;
  Scheduler& scheduler = world_.scheduler;
  if (scheduler.chance(0.7)) {  // A look is under way, and wakes the lanes when it comes back.
    scheduler.at(life_, scheduler.now() + scheduler.between(100, 20'000),
                 [this] { (void)keeper_.turn(); });
  }
  // The others stop while one is at something else.
  if (scheduler.chance(0.7)) {
    any_lane().freeze_loop(scheduler.now() + scheduler.between(100, 50'000));
  }
  auto claiming = std::make_shared<std::size_t>(lanes_.size());
  for (const auto& lane : lanes_) {
    lane->end_claims([this, claiming, gone] {
      if (--*claiming == 0) stop_from(0, gone);
    });
  }
}

void Process::stop_from(std::size_t number, const std::function<void()>& gone) {
  if (number == lanes_.size()) return gone();
  lanes_[number]->stop([this, number, gone] { stop_from(number + 1, gone); });
}

}  // namespace stepwell::sim
