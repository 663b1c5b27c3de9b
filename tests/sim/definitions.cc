#include "tests/sim/definitions.h"

#include <fmt/core.h>

#include <map>
#include <stdexcept>

#include "base/random.h"
#include "dsl/dsl.h"
#include "tests/property/random_workflow.h"
#include "tests/sim/sim_tasks.h"

namespace stepwell::sim {
namespace {

constexpr std::size_t kPoisonNumber = kDefinitions;

// Draws, and names states: names are unique in a definition.
struct Drawing {
  Random random;
  std::uint64_t states = 0;
  std::uint64_t below(std::uint64_t bound) { return random.below(bound); }
};

Object task(Drawing& draw) {
  Object retrier{{"ErrorEquals", Value::Array{"States.ALL"}},
                 {"MaxAttempts", 4 + draw.below(5)},
                 {"IntervalSeconds", 1 + draw.below(2)},
                 {"MaxDelaySeconds", 4}};
  Object made{{"Type", "Task"}, {"Resource", draw.below(3) == 0 ? kPure : kWork}};
  made.set("Retry", Value::Array{Value(std::move(retrier))});
  if (draw.below(4) == 0) made.set("TimeoutSeconds", 1 + draw.below(3));
  return made;
}

// Long enough that an execution is put away, or not.
Object wait(Drawing& draw) { return {{"Type", "Wait"}, {"Seconds", 1 + draw.below(8)}}; }

Object machine(Drawing& draw, int nesting, std::size_t length);

Object map(Drawing& draw, int nesting) {
  Object made{{"Type", "Map"},
              {"InputPath", "$$.Execution.Input"},
              {"ItemsPath", "$.items"},
              {"MaxConcurrency", draw.below(4)}};
  made.set("ItemProcessor", machine(draw, nesting - 1, 1 + draw.below(2)));
  return made;
}

Object parallel(Drawing& draw, int nesting) {
  Value::Array branches;
  const std::size_t count = 2 + draw.below(2);
  for (std::size_t i = 0; i < count; ++i) {
    branches.push_back(Value(machine(draw, nesting - 1, 1 + draw.below(3))));
  }
  return {{"Type", "Parallel"}, {"Branches", std::move(branches)}};
}

Object state(Drawing& draw, int nesting) {
  const std::uint64_t kind = draw.below(nesting > 0 ? 10 : 7);
  if (kind < 5) return task(draw);
  if (kind < 7) return wait(draw);
  return kind == 7 ? parallel(draw, nesting) : map(draw, nesting);
}

// A line of states that go on for long: they retry whatever fails.
Object machine(Drawing& draw, int nesting, std::size_t length) {
  Object states;
  const std::uint64_t first = draw.states + 1;
  draw.states += length;
  for (std::uint64_t i = first; i < first + length; ++i) {
    Object one = state(draw, nesting);
    if (i + 1 < first + length) {
      one.set("Next", "S" + std::to_string(i + 1));
    } else {
      one.set("End", true);
    }
    states.set("S" + std::to_string(i), std::move(one));
  }
  return {{"StartAt", "S" + std::to_string(first)}, {"States", std::move(states)}};
}

Value items(Drawing& draw) {
  Value::Array made;
  const std::uint64_t count = draw.below(9);
  for (std::uint64_t i = 0; i < count; ++i) made.push_back(Value(Object{{"n", i}}));
  return made;
}

// A third each: long ones, and the two moods of the property tests.
void make(std::size_t number, Definition& made) {
  Drawing draw{Random(Random(number).next())};
  if (number == kPoisonNumber) {
    made.text =
        R"({"StartAt":"S","States":{"S":{"Type":"Task","Resource":"test.work","End":true}}})";
    made.input = Object{{kPoison, true}};
  } else if (number % 3 == 0) {
    made.text = Value(machine(draw, 1, 3 + draw.below(6))).to_json();
    made.input = Object{{"items", items(draw)}};
  } else {
    const auto mood = number % 3 == 1 ? testing::Mood::kMild : testing::Mood::kWild;
    auto drawn = testing::random_workflow(draw.random.next(), mood);
    made.text = drawn.definition.to_json();
    made.input = std::move(drawn.input);
  }
  const dsl::Compiled compiled = dsl::compile(made.text);
  if (!compiled.ok()) {
    throw std::runtime_error(made.text + ": " + compiled.diagnostics.front().message);
  }
  made.program = compiled.program;
  made.workflow = fmt::format("w{}", number);
}

}  // namespace

const Definition& definition(std::size_t number) {
  static std::map<std::size_t, Definition> made;
  const auto [place, fresh] = made.try_emplace(number);
  if (fresh) make(number, place->second);
  return place->second;
}

const Definition& poison() { return definition(kPoisonNumber); }

ProgramRef program_of(const std::string& workflow) {
  return definition(std::stoul(workflow.substr(1))).program;
}

}  // namespace stepwell::sim
