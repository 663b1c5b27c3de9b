// A converted workflow does what the old one did: both are run on the same inputs, with tasks that
// answer the same, and hand out the same, assign the same and end the same.
//
// Only runs that the old workflow completes are compared: what it fails with States.Runtime the new
// one fails in other words, or takes.
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <map>
#include <set>

#include "authoring/convert/convert.h"
#include "dsl/dsl.h"
#include "engine/step/step.h"

namespace stepwell::dsl {
namespace {

constexpr int kMostFacts = 3'000;

// How all tasks answer.
enum class World { kEcho, kFixed, kFail };

struct Outcome {
  bool is_complete = false;  // Succeeded, or failed by a Fail state or a task.
  std::string error;
  Value::Array did;  // Inputs of tasks, waits, assigned variables, in order; then the end.
};

Value fixed_answer() {
  return parse_json(R"({"Payload":{"a":1,"list":[[1],[2,3]],"x":"y"},"StatusCode":200,"id":"r-1",
                        "Value":[5],"s":"text","t":true,"n":null,"o":{"k":[{"v":1}]}})")
      .value();
}

class Run {
 public:
  Run(ProgramRef program, Value input, World world) : program_(std::move(program)), world_(world) {
    Started started;
    started.input = std::move(input);
    started.pins.program_hash = program_->hash;
    started.pins.seed = 1;
    started.pins.limits.max_transitions = 2'000;
    started.pins.execution_name = "run";
    started.pins.execution_arn = "arn:aws:states:eu-west-1:1:execution:m:run";
    started.pins.machine_arn = "arn:aws:states:eu-west-1:1:stateMachine:m";
    started.pins.machine_name = "m";
    apply({CommandId{}, now_, 0, std::move(started)});
    for (int i = 0; i < kMostFacts && execution_.is_running(); ++i) {
      const auto open = outstanding(*program_, execution_);
      if (open.empty()) break;
      answer(open.front());
    }
  }

  Outcome outcome() {
    Outcome outcome;
    outcome.error = execution_.error.value_or("");
    outcome.is_complete =
        execution_.status == ExecutionStatus::kSucceeded ||
        (execution_.status == ExecutionStatus::kFailed && !outcome.error.starts_with("States."));
    did_.push_back(to_string(execution_.status));
    did_.push_back(execution_.status == ExecutionStatus::kSucceeded ? execution_.output
                                                                    : Value(outcome.error));
    outcome.did = std::move(did_);
    return outcome;
  }

 private:
  void apply(const Fact& fact) {
    std::vector<Command> commands;
    const Listener listener = [this](const HistoryEvent& event) {
      const Value* assigned = event.details.find("assignedVariables");
      if (assigned == nullptr) return;
      for (const auto& [name, text] : assigned->as_object()) {
        did_.push_back(Object{{name, parse_json(text.as_string()).value()}});
      }
    };
    step(*program_, execution_, fact, commands, &listener);
  }

  void answer(const Command& command) {
    if (const auto* task = std::get_if<RunTask>(&command)) {
      did_.push_back(task->input);
      FactBody body = TaskFailed{"Task.Broke", "because", std::nullopt};
      if (world_ == World::kEcho) body = TaskSucceeded{task->input};
      if (world_ == World::kFixed) body = TaskSucceeded{fixed_answer()};
      return apply({task->id, now_, task->input_hash, std::move(body)});
    }
    if (const auto* timer = std::get_if<SetTimer>(&command)) {
      did_.push_back((timer->due - now_).count());
      now_ = std::max(now_, timer->due);
      return apply({timer->id, now_, 0, TimerFired{}});
    }
    if (const auto* more = std::get_if<Continue>(&command)) {
      return apply({more->id, now_, 0, Continued{}});
    }
    FAIL() << "an outstanding command of another kind";
  }

  ProgramRef program_;
  World world_;
  Execution execution_;
  Time now_ = from_unix_ms(1'700'000'000'000);
  Value::Array did_;
};

Outcome outcome_of(const ProgramRef& program, const Value& input) {
  return Run(program, input, World::kEcho).outcome();
}

struct Tally {
  std::size_t definitions = 0, whole = 0, converted = 0, same = 0, refused = 0, compared = 0;
  std::map<std::string, std::size_t> reasons;
};

bool is_random(const std::string& definition) {
  return definition.find("States.UUID") != std::string::npos ||
         definition.find("States.MathRandom") != std::string::npos;
}

// Converts, and runs both on every input.
void check(const Value& definition, const Value::Array& inputs, bool assume_plain, Tally& tally) {
  const std::string text = definition.to_json();
  const Compiled before = compile(text, {"x.json", {}});
  if (!before.ok()) return;
  JsonataOptions options;
  options.file = "x.json";
  options.assume_plain = assume_plain;
  const auto done = to_jsonata(text, options);
  ASSERT_TRUE(done.ok()) << done.error().message;
  ++tally.definitions;
  tally.whole += done->is_whole ? 1 : 0;
  tally.converted += done->converted.size();
  tally.same += done->as_it_was.size();
  std::set<std::string> refused;
  for (const Obstacle& one : done->obstacles) {
    refused.insert(one.state);
    ++tally.reasons[one.reason];
    EXPECT_GT(one.line, 0u);
  }
  tally.refused += refused.size();
  const Compiled after = compile(done->text, {"x.json", {}});
  std::string said;
  for (const Diagnostic& one : after.diagnostics) said += render(one, done->text);
  ASSERT_TRUE(after.ok()) << said << text << "\n" << done->text;
  // What is assumed need not hold for the inputs here.
  if (done->converted.empty() || assume_plain || is_random(text)) return;
  for (const Value& input : inputs) {
    for (const World world : {World::kEcho, World::kFixed, World::kFail}) {
      const Outcome old = Run(before.program, input, world).outcome();
      if (!old.is_complete) continue;
      const Outcome fresh = Run(after.program, input, world).outcome();
      ++tally.compared;
      const bool is_same = Value(old.did) == Value(fresh.did);  // 1.0 may become 1.
      EXPECT_TRUE(is_same) << text << "\n"
                           << done->text << "\ninput " << input.to_json() << "\nbefore "
                           << Value(old.did).to_pretty_json() << "\nafter "
                           << Value(fresh.did).to_pretty_json();
    }
  }
}

Value::Array inputs_beside(const Value& input) {
  return {input, Object(), fixed_answer(),
          parse_json(R"({"a":{"b":[1]},"list":[{"v":1},{"v":[2]}],"list2":[[1],[2]],"s":"x","n":1.5,
                         "value":"1.0","Value":1,"input":{},"x":null,"items":[]})")
              .value()};
}

void report(const Tally& tally) {
  std::cout << tally.definitions << " definitions, " << tally.whole
            << " as a whole; states: " << tally.converted << " converted, " << tally.same
            << " the same in both, " << tally.refused << " refused; " << tally.compared
            << " runs compared\n";
  for (const auto& [reason, count] : tally.reasons)
    std::cout << "  " << count << "  " << reason << "\n";
}

void check_corpus(bool assume_plain, Tally& tally) {
  std::ifstream file(STEPWELL_SHARED_FOLDER "/conformance/asl_cases.jsonl");
  std::set<std::string> seen;
  for (std::string line; std::getline(file, line);) {
    const Value about = parse_json(line).value();
    const Value* definition = about.find("definition");
    if (definition == nullptr || !definition->is_object()) continue;
    const Value* input = about.find("input");
    const Value given = input != nullptr ? *input : Value(Object());
    if (!seen.insert(definition->to_json() + given.to_json()).second) continue;
    check(*definition, inputs_beside(given), assume_plain, tally);
    if (::testing::Test::HasFailure()) return;
  }
}

TEST(Exactness, HoldsForRecordedDefinitions) {
  if (!std::ifstream(STEPWELL_SHARED_FOLDER "/conformance/asl_cases.jsonl")) {
    GTEST_SKIP() << "../shared/conformance is not here";
  }
  Tally tally;
  check_corpus(false, tally);
  report(tally);
  EXPECT_GT(tally.converted, 300u);
  EXPECT_GT(tally.compared, 300u);
  Tally assumed;
  check_corpus(true, assumed);
  report(assumed);
  EXPECT_GT(assumed.converted, tally.converted);
}

// Inputs at which the two languages tend to part.
Value::Array awkward_inputs() {
  std::ifstream file(STEPWELL_GOLDEN_FOLDER "/awkward_inputs.jsonl");
  Value::Array inputs;
  for (std::string line; std::getline(file, line);) inputs.push_back(parse_json(line).value());
  return inputs;
}

// part_ways.jsonl: states, one a line, without Next.
TEST(Exactness, HoldsWhereTheLanguagesPart) {
  std::ifstream file(STEPWELL_GOLDEN_FOLDER "/part_ways.jsonl");
  Tally tally;
  for (std::string line; std::getline(file, line);) {
    Object state = parse_json(line).value().as_object();
    if (*state.find("Type") != Value("Choice")) state.set("Next", "Yes");
    const Value definition =
        Object{{"StartAt", "S"},
               {"States", Object{{"S", std::move(state)},
                                 {"Yes", Object{{"Type", "Pass"}, {"Next", "No"}}},
                                 {"No", Object{{"Type", "Succeed"}}}}}};
    const std::string text = definition.to_json();
    const Compiled compiled = compile(text, {"x.json", {}});
    std::string said;
    for (const Diagnostic& one : compiled.diagnostics) said += render(one, text);
    ASSERT_TRUE(compiled.ok()) << said;
    const std::size_t before = tally.converted;
    check(definition, awkward_inputs(), false, tally);
    EXPECT_GT(tally.converted, before) << text;
  }
  report(tally);
  EXPECT_GT(tally.compared, 500u);
}

// What a call refuses (States.IntrinsicFailure) is refused by what it becomes, and is not made into
// some other value; or the call is not converted.
TEST(Exactness, WhatACallRefusesStaysRefused) {
  const Value::Array values = {Value("abc"),    Value(3),       Value(-1),
                               Value(0),        Value(true),    Value(),
                               Value(2.5),      Value(""),      Value(Value::Array{}),
                               Object(),        Value("[1,2]"), Value(Value::Array{7, 8, 9}),
                               Object{{"a", 1}}};
  std::size_t refused = 0, same = 0;
  for (const char* call : {"States.ArrayLength($.v)",
                           "States.ArrayUnique($.v)",
                           "States.ArrayPartition($.v, 2)",
                           "States.ArrayPartition($.v, 0)",
                           "States.ArrayContains($.v, 7)",
                           "States.ArrayGetItem($.v, 2)",
                           "States.ArrayGetItem($.v, 5)",
                           "States.ArrayGetItem($.v, -1)",
                           "States.JsonMerge($.v, $.w, false)",
                           "States.JsonMerge($.w, $.v, false)",
                           "States.MathAdd($.v, 1)",
                           "States.ArrayRange(1, $.v, 1)",
                           "States.ArrayRange(1, 2000, 1)",
                           "States.ArrayRange(1, 5, $.v)",
                           "States.StringSplit($.v, ',')",
                           "States.StringToJson($.v)",
                           "States.Base64Decode('!!')",
                           "States.MathRandom(5, 5)",
                           "States.Hash('a', 'md5')",
                           "States.Format('a { {}', 'b')"}) {
    for (const bool into_input : {false, true}) {
      Object state{{"Type", "Pass"}, {"Parameters", Object{{"x.$", call}}}, {"End", true}};
      if (into_input) state.set("ResultPath", "$.r");
      const std::string text =
          Value(Object{{"StartAt", "S"}, {"States", Object{{"S", std::move(state)}}}}).to_json();
      const Compiled before = compile(text, {"x.json", {}});
      ASSERT_TRUE(before.ok()) << text;
      const auto done = to_jsonata(text, {"x.json", {}});
      ASSERT_TRUE(done.ok()) << text;
      const Compiled after = compile(done->text, {"x.json", {}});
      ASSERT_TRUE(after.ok()) << done->text;
      for (const Value& value : values) {
        const Value input = Object{{"v", value}, {"w", Object{{"b", 2}}}};
        const Outcome old = outcome_of(before.program, input);
        const Outcome fresh = outcome_of(after.program, input);
        SCOPED_TRACE(std::string(call) + " of " + value.to_json() + "\n" + done->text);
        if (old.error == "States.IntrinsicFailure") {
          EXPECT_TRUE(fresh.error.starts_with("States.")) << Value(fresh.did).to_json();
          ++refused;
        } else if (old.is_complete && !done->converted.empty()) {
          EXPECT_EQ(Value(old.did).to_json(), Value(fresh.did).to_json());
          ++same;
        }
      }
    }
  }
  EXPECT_GT(refused, 200u);
  EXPECT_GT(same, 50u);
}

// A path into a constant that has no fields fails, and does not become something else.
TEST(Exactness, APathIntoAConstantFails) {
  for (const char* constant : {"3", "1.5", "\"abc\"", "true", "null", "{\"a\":1}"}) {
    const std::string text =
        std::string(R"({"StartAt":"S","States":{"S":{"Type":"Pass","Result":)") + constant +
        R"(,"OutputPath":"$.x","End":true}}})";
    const auto done = to_jsonata(text, {"x.json", {}});
    ASSERT_TRUE(done.ok());
    const Compiled after = compile(done->text, {"x.json", {}});
    ASSERT_TRUE(after.ok()) << done->text;
    const Value input = Object{{"abc", Object{{"x", 1}}}, {"x", 2}};
    const Outcome fresh = outcome_of(after.program, input);
    EXPECT_TRUE(fresh.error.starts_with("States.")) << done->text;
  }
}

// The golden workflows, too.
TEST(Exactness, HoldsForTheGoldenWorkflows) {
  Tally tally;
  for (const char* name : {"order.yaml", "stuck.yaml"}) {
    std::ifstream file(std::string(STEPWELL_GOLDEN_FOLDER "/") + name);
    const std::string text{std::istreambuf_iterator<char>(file), {}};
    const Value input =
        parse_json(
            R"({"order":{"items":[{"n":1.5,"text":"a, b","delay":"3"}],"total":120,"kind":"gift-a",
            "customer":{"name":"x"},"patience":"60"},"patience":60,"total":1,"a":1,"x":2})")
            .value();
    check(parse_document(text, name).value, inputs_beside(input), false, tally);
  }
  EXPECT_GT(tally.compared, 0u);
}

}  // namespace
}  // namespace stepwell::dsl
