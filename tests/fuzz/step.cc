#include "base/check.h"
#include "base/match.h"
#include "tests/fuzz/programs.h"
#include "tests/fuzz/targets.h"
#include "tests/property/world.h"

namespace stepwell::fuzz {

namespace {

using testing::World;
using testing::WorldOptions;

constexpr std::size_t kMostFacts = 300;

// The bytes, as a source of decisions; zeros when it is used up.
class Choices {
 public:
  explicit Choices(std::string_view bytes) : bytes_(bytes) {}
  bool left() const { return at_ < bytes_.size(); }
  std::size_t byte() { return left() ? static_cast<unsigned char>(bytes_[at_++]) : 0; }
  std::size_t below(std::size_t bound) { return bound == 0 ? 0 : byte() % bound; }

 private:
  std::string_view bytes_;
  std::size_t at_ = 0;
};

Value document(const char* text) { return parse_json(text).value(); }

const std::vector<Value>& inputs() {
  static const std::vector<Value> kAll = {
      document(R"({"n":3,"text":"t","items":[{"n":1},{"n":2},{"n":3}]})"),
      document(R"({"n":0,"text":"u","items":[[1,2],[],[3]],"until":"2023-11-14T22:13:30Z"})"),
      document(R"({"n":-1,"items":[],"until":"never"})"),
      document(R"({"n":1e300,"text":7,"items":{"a":1}})"),
      document("[]"),
      document("null"),
  };
  return kAll;
}

const std::vector<Value>& outputs() {
  static const std::vector<Value> kAll = {
      document(R"({"k":1,"n":2})"),
      document(R"({"Error":"Flaky","Cause":"c","k":[1,{"n":1}]})"),
      document("null"),
      document("\"text\""),
      document("[[[]]]"),
      document("{}"),
      Value(std::string(40'000, 'x')),
      Value(std::string(300'000, 'x')),
  };
  return kAll;
}

FactBody task_answer(Choices& choices) {
  constexpr const char* kErrors[] = {"Flaky", "Expected", "States.Timeout", "States.Runtime", ""};
  switch (choices.below(4)) {
    case 0: {
      TaskFailed failed;
      failed.error = kErrors[choices.below(5)];
      if (choices.below(2) == 1) failed.cause = "cause";
      if (choices.below(3) == 1) failed.retry_after = Millis(choices.byte() * 100);
      return failed;
    }
    case 1: return choices.below(2) == 1 ? FactBody(TaskFailed{}) : TaskTimedOut{true};
    default: return TaskSucceeded{outputs()[choices.below(outputs().size())]};
  }
}

// Any fact at all, most of them stale.
FactBody any_body(Choices& choices) {
  switch (choices.below(5)) {
    case 0: return TimerFired{};
    case 1: return Continued{};
    case 2: return Stopped{"Stopped", std::nullopt};
    case 3: return Started{Value(1), Pins{}, ""};
    default: return task_answer(choices);
  }
}

// Something that is outstanding, answered as such things are.
void answer(World& world, const Program& program, Choices& choices, Time& now) {
  const std::vector<Command> open = outstanding(program, world.execution());
  if (open.empty()) return;
  const Command& chosen = open[choices.below(open.size())];
  Fact fact;
  std::visit(match{
                 [&](const RunTask& task) {
                   fact.command = task.id;
                   fact.input_hash = choices.below(2) == 0 ? task.input_hash : 0;
                   fact.body = task_answer(choices);
                 },
                 [&](const SetTimer& timer) {
                   fact.command = timer.id;
                   now = std::max(now, timer.due);
                   fact.body = TimerFired{};
                 },
                 [&](const Continue& go_on) {
                   fact.command = go_on.id;
                   fact.body = Continued{};
                 },
                 [](const auto&) {},
             },
             chosen);
  fact.at = now;
  CHECK(world.deliver(fact), "the answer to an outstanding command counts");
}

void deliver_any(World& world, Choices& choices, Time now) {
  Fact fact;
  fact.command = CommandId{choices.below(world.execution().next_command + 2)};
  fact.at = now;
  fact.body = any_body(choices);
  // These two answer no command.
  if (fact.kind() == FactKind::kStarted || fact.kind() == FactKind::kStopped) {
    fact.command = CommandId{};
  }
  world.deliver(fact);
}

void check_codec(const Execution& execution) {
  const std::string bytes = execution.encode();
  const auto read = Execution::decode(bytes);
  CHECK(read.ok() && read->same_as(execution), "decode(encode(x)) equals x");
}

}  // namespace

// One byte for the program, one for the input, one for the options; then decisions.
void run_step(std::string_view bytes) {
  Choices choices(bytes);
  const Program& program = *programs()[choices.below(programs().size())];
  const Value& input = inputs()[choices.below(inputs().size())];
  WorldOptions options;
  const std::size_t flags = choices.byte();
  options.order_seed = flags;
  options.slice = flags % 4 == 0 ? 1 + flags / 64 : 1000;
  options.reload = flags % 8 < 4;
  options.duplicate = flags % 16 < 8;
  World world(program, input, options);
  Time now = from_unix_ms(1'700'000'000'000);
  world.start();
  for (std::size_t i = 0; i < kMostFacts && choices.left() && world.broken().empty(); ++i) {
    const std::size_t what = choices.below(16);
    if (what < 12) {
      answer(world, program, choices, now);
    } else if (what == 12) {
      if (!world.running()) world.redrive();
    } else if (what == 13) {
      now += Millis(choices.byte() * 1000);
    } else if (what == 14 && world.running() && choices.below(8) == 0) {
      world.stop();
    } else {
      deliver_any(world, choices, now);
    }
    CHECK(world.broken().empty(), world.broken());
  }
  CHECK(world.broken().empty(), world.broken());
  check_codec(world.execution());
  CHECK(world.fold().same_as(world.execution()), "the fold is what was live");
}

}  // namespace stepwell::fuzz
