#include "tests/sim/world.h"

#include <fmt/core.h>

namespace stepwell::sim {

World::World(std::uint64_t seed, Mutant the_mutant, Tally& the_tally)
    // Neighbouring seeds of SplitMix64 give shifted streams: one draw sets them apart.
    : scheduler(Random(seed).next()), mutant(the_mutant), tally(the_tally) {
  store::MemoryStoreOptions options;
  options.seed = scheduler.draw() | 1;
  options.clock = [this] { return from_unix_ms(1'700'000'000'000 + scheduler.now() / 1'000); };
  options.renews_by_itself = false;
  options.on_hint = [this] { hint(); };
  options.fault = [this](Uuid, store::WireStatement statement) { return draw_fault(statement); };
  database = store::make_memory_store(options);
  loss = scheduler.chance(0.4) ? 0 : 0.002 + scheduler.unit() * 0.05;
}

void World::log(const std::string& line) {
  text += fmt::format("{:>12} {}\n", scheduler.now() - 1'000'000'000, line);
}

bool World::loses(const char* what) {
  if (is_healed_) return false;
  if (is_away()) return true;
  if (!scheduler.chance(loss)) return false;
  tally.count(what);
  return true;
}

store::WireFault World::draw_fault(store::WireStatement statement) {
  ++questions;
  if (look) look();  // A batch in parts is several statements.
  if (is_away()) return store::WireFault::kAway;
  if (is_healed_ || !scheduler.chance(2 * loss)) return store::WireFault::kNone;
  const bool is_batch = statement == store::WireStatement::kCommit;
  if (is_batch && scheduler.chance(0.05)) {
    tally.count("fault: batch too much at once");
    return store::WireFault::kTooMuch;
  }
  const bool is_request = scheduler.chance(0.5);
  const char* what = "";
  switch (statement) {
    case store::WireStatement::kConnect: what = "connecting"; break;
    case store::WireStatement::kCommit:
      what = is_request ? "commit request" : "commit reply";
      break;
    case store::WireStatement::kClaim: what = is_request ? "claim request" : "claim reply"; break;
    case store::WireStatement::kAsk: what = "reconciling"; break;
    case store::WireStatement::kClose: what = "closing"; break;
  }
  tally.count(fmt::format("fault: {} lost", what));
  return is_request ? store::WireFault::kRequestLost : store::WireFault::kReplyLost;
}

void World::hint() {
  if (!told) return;
  if (!is_healed_ && scheduler.chance(0.2)) return tally.count("fault: hint lost");
  told();
}

std::string brief(const ExecutionId& id) { return id.text().substr(28); }

}  // namespace stepwell::sim
