#include "tests/e2e/chaos/plan.h"

#include <fmt/core.h>

#include "base/value.h"

namespace stepwell::chaos {
namespace {

using Kind = Workflow::Step::Kind;

// Where the chain goes after step `i`.
std::string onward(std::size_t i, std::size_t count) {
  return i + 1 < count ? fmt::format(R"("Next":"S{}")", i + 1) : R"("End":true)";
}

// A task that is given `by` and whose answer becomes {"v": ...}.
std::string task(const std::string& resource, std::int64_t by, const std::string& more) {
  return fmt::format(
      R"({{"Type":"Task","Resource":"{}","Parameters":{{"v.$":"$.v","by":{}}},)"
      R"("Retry":[{{"ErrorEquals":["Chaos.Flaky"],"IntervalSeconds":1,"MaxAttempts":5,)"
      R"("BackoffRate":1.0}}],{}}})",
      resource, by, more);
}

std::string numbers_to(std::int64_t count) {
  std::string list;
  for (std::int64_t i = 0; i < count; ++i) list += (i == 0 ? "" : ",") + std::to_string(i);
  return "[" + list + "]";
}

// Each of `by` items becomes v + its number; then they are added up.
std::string map_states(std::size_t i, std::int64_t by, const std::string& next) {
  return fmt::format(
      R"("S{0}":{{"Type":"Pass","Parameters":{{"v.$":"$.v","items":{1}}},"Next":"S{0}m"}},)"
      R"("S{0}m":{{"Type":"Map","ItemsPath":"$.items","MaxConcurrency":4,)"
      R"("ItemSelector":{{"v.$":"$.v","by.$":"$$.Map.Item.Value"}},"ItemProcessor":)"
      R"({{"StartAt":"I{0}","States":{{"I{0}":{{"Type":"Task","Resource":"chaos.add",)"
      R"("End":true}}}}}},"ResultPath":"$.parts","Next":"S{0}s"}},)"
      R"("S{0}s":{{"Type":"Task","Resource":"chaos.sum",)"
      R"("Parameters":{{"parts.$":"$.parts"}},{2}}})",
      i, numbers_to(by), next);
}

// Two branches add 1 and `by`; then they are added up.
std::string parallel_states(std::size_t i, std::int64_t by, const std::string& next) {
  const auto branch = [&](const char* letter, std::int64_t add) {
    return fmt::format(R"({{"StartAt":"B{0}{1}","States":{{"B{0}{1}":{2}}}}})", i, letter,
                       task("chaos.add", add, R"("End":true)"));
  };
  return fmt::format(
      R"("S{0}":{{"Type":"Parallel","Branches":[{1},{2}],"ResultPath":"$.parts","Next":"S{0}s"}},)"
      R"("S{0}s":{{"Type":"Task","Resource":"chaos.sum",)"
      R"("Parameters":{{"parts.$":"$.parts"}},{3}}})",
      i, branch("a", 1), branch("b", by), next);
}

// Below zero: add `by`.  Else take it away.
std::string choice_states(std::size_t i, std::int64_t by, const std::string& next) {
  return fmt::format(
      R"("S{0}":{{"Type":"Choice","Choices":[{{"Variable":"$.v","NumericLessThan":0,)"
      R"("Next":"S{0}u"}}],"Default":"S{0}d"}},"S{0}u":{1},"S{0}d":{2})",
      i, task("chaos.add", by, next), task("chaos.add", -by, next));
}

// A task that always fails for good; the catcher goes on with what there was.
std::string caught_states(std::size_t i, std::int64_t by, const std::string& next) {
  const std::string on_error = fmt::format(
      R"("Catch":[{{"ErrorEquals":["States.ALL"],"ResultPath":"$.e","Next":"S{}c"}}],)", i);
  return fmt::format(R"("S{0}":{1},"S{0}c":{2})", i, task("chaos.broken", by, on_error + next),
                     task("chaos.add", by, next));
}

std::string states(const Workflow::Step& step, std::size_t i, std::size_t count) {
  const std::string next = onward(i, count);
  const std::string one = fmt::format(R"("S{}":)", i);
  switch (step.kind) {
    case Kind::kAdd: return one + task("chaos.add", step.by, next);
    case Kind::kFlaky: return one + task("chaos.flaky", step.by, next);
    case Kind::kWait:
      return one + fmt::format(R"({{"Type":"Wait","Seconds":{},{}}})", step.by, next);
    case Kind::kMap: return map_states(i, step.by, next);
    case Kind::kParallel: return parallel_states(i, step.by, next);
    case Kind::kChoice: return choice_states(i, step.by, next);
    case Kind::kCaught: return caught_states(i, step.by, next);
  }
  return {};
}

std::int64_t apply(const Workflow::Step& step, std::int64_t v) {
  switch (step.kind) {
    case Kind::kAdd:
    case Kind::kFlaky:
    case Kind::kCaught: return v + step.by;
    case Kind::kWait: return v;
    case Kind::kMap: return v * step.by + step.by * (step.by - 1) / 2;
    case Kind::kParallel: return v + 1 + v + step.by;
    case Kind::kChoice: return v < 0 ? v + step.by : v - step.by;
  }
  return v;
}

Workflow::Step random_step(Random& random) {
  const auto kind = static_cast<Kind>(random.below(7));
  const auto by = static_cast<std::int64_t>(1 + random.below(kind == Kind::kWait ? 3 : 6));
  return {kind, by};
}

}  // namespace

std::int64_t Workflow::expected(std::int64_t start) const {
  for (const Step& step : steps) start = apply(step, start);
  return start;
}

std::vector<Workflow> make_workflows(std::uint64_t seed, std::size_t count) {
  Random random(seed);
  std::vector<Workflow> workflows(count);
  for (std::size_t w = 0; w < count; ++w) {
    Workflow& workflow = workflows[w];
    workflow.name = fmt::format("chaos-{}-{}", seed, w);
    const std::size_t length = 2 + random.below(7);
    for (std::size_t i = 0; i < length; ++i) workflow.steps.push_back(random_step(random));
    for (std::size_t i = 0; i < length; ++i) {
      workflow.definition += (i == 0 ? "" : ",") + states(workflow.steps[i], i, length);
    }
    workflow.definition =
        R"({"StartAt":"S0","TimeoutSeconds":86400,"States":{)" + workflow.definition + "}}";
  }
  return workflows;
}

TaskAnswerPlan run_task(const std::string& task, const std::string& input, std::uint32_t attempt) {
  if (task == "chaos.broken") return {true, "Chaos.Broken", {}};
  auto parsed = parse_json(input);
  if (!parsed.ok()) return {true, "Chaos.BadInput", {}};
  if (task == "chaos.sum") {
    std::int64_t sum = 0;
    for (const Value& part : parsed->find("parts")->as_array()) sum += part.find("v")->as_int();
    return {false, {}, fmt::format(R"({{"v":{}}})", sum)};
  }
  const std::int64_t v = parsed->find("v")->as_int(), by = parsed->find("by")->as_int();
  const bool fails = task == "chaos.flaky" && attempt <= static_cast<std::uint32_t>(1 + by % 2);
  if (fails) return {true, "Chaos.Flaky", {}};
  return {false, {}, fmt::format(R"({{"v":{}}})", v + by)};
}

}  // namespace stepwell::chaos
