// World — one seed: virtual time, the database and the faults of its wire, and what is known of
// both.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>

#include "engine/store/memory_state.h"
#include "engine/store/memory_store.h"
#include "tests/sim/scheduler.h"
#include "tests/sim/tally.h"

namespace stepwell::sim {

// What must never happen has happened: the seed has failed.
class Broken : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// A line of the product that is taken out, to see that the simulation notices.
enum class Mutant : std::uint8_t { kNone, kFence, kPark, kEpoch, kDispatch, kNumber };

class World {
 public:
  World(std::uint64_t seed, Mutant mutant, Tally& tally);

  void log(const std::string& line);
  // An answer on the wire is lost.  Never any more once the world is healed.
  bool loses(const char* what);
  // A question: counted, and perhaps lost.
  bool asks(const char* what) {
    ++questions;
    return loses(what);
  }
  void heal() { is_healed_ = true; }
  bool is_healed() const { return is_healed_; }
  bool is_away() const { return !is_healed_ && scheduler.now() < away_until; }
  // Something was delivered or became due: those who listen hear of it, mostly.
  void hint();

  Scheduler scheduler;
  const Mutant mutant;
  Tally& tally;
  std::shared_ptr<store::MemoryStore> database;
  std::string text;             // The log.
  double loss = 0;              // The probability that something on the wire is lost.
  Micros away_until = 0;        // The database.
  std::uint64_t questions = 0;  // To the database.
  std::function<void()> told;   // By hint().
  std::function<void()> look;   // At the tables, before a lane's next statement.

 private:
  store::WireFault draw_fault(store::WireStatement statement);

  bool is_healed_ = false;
};

// The last digits of an id: enough to tell the executions of a seed apart.
std::string brief(const ExecutionId& id);

}  // namespace stepwell::sim
