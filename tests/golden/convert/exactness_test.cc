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

#include "dsl/convert/convert.h"
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
  return parse_json(R"({"Payload":{"a":1,"list":[[1],[2,3]],"x":"y"},"StatusCode":200,
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
      EXPECT_EQ(Value(old.did).to_pretty_json(), Value(fresh.did).to_pretty_json())
          << text << "\n"
          << done->text << "\ninput " << input.to_json();
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
  Value::Array inputs;
  for (const char* text :
       {R"({"a":{"b":{"c":1}},"l":[1,2,3],"s":"a,b,,c","n":5})",
        R"({"a":{"b":[{"c":1},{"c":2}]},"l":[[1],[2,3]],"s":"","n":2.5})",
        R"({"a":[{"b":1}],"l":[],"s":"gift-x","n":-1.5})",
        R"({"a":null,"l":[null],"s":"x*y","n":0})",
        R"({"a":{"b":null},"l":[{"c":[7]}],"s":"10","n":"10"})",
        R"({"a":{"b":{}},"l":["x"],"s":"\"quoted\" \\ / {} %}","n":1e3})",
        R"({"a":{"b":{"c":[]}},"l":[[[1]]],"s":"ä,ö","n":9007199254740991})", "[]", "[1,[2]]",
        R"([{"a":{"b":3},"l":[4]}])", R"("text")", "null", "7"}) {
    inputs.push_back(parse_json(text).value());
  }
  return inputs;
}

// States in short: what a state has besides Type, Next and End.
TEST(Exactness, HoldsWhereTheLanguagesPart) {
  const char* const bodies[] = {
      // Pass
      R"("Type":"Pass","Parameters":{"x.$":"$.a.b","l.$":"$.l","whole.$":"$","k":[{"c.$":"$.s"}]})",
      R"("Type":"Pass","Parameters":{"first.$":"$.l[0]","past.$":"$.l[9]","last.$":"$.l[-1]"})",
      R"("Type":"Pass","Parameters":{"first.$":"$[0]"})",
      R"("Type":"Pass","InputPath":"$.a","ResultPath":"$.deep.down.r","OutputPath":"$.deep")",
      R"("Type":"Pass","InputPath":null,"ResultPath":"$.a.b")",
      R"("Type":"Pass","Result":{"x.$":"$.a","e":"{% 1 %}","d":1.0,"n":null,"l":[[1],[]]},"ResultPath":"$.r")",
      R"("Type":"Pass","Result":[[1]],"OutputPath":"$[0]")",
      R"("Type":"Pass","Result":1,"ResultPath":null)", R"("Type":"Pass","OutputPath":null)",
      R"("Type":"Pass","Parameters":{"x.$":"$.a"},"Assign":{"v.$":"$.x","w":"{% no %}"},"ResultPath":"$.p")",
      R"("Type":"Pass","ResultPath":"$.p","OutputPath":"$.p.a")",
      R"("Type":"Pass","ResultPath":"$.p.q","OutputPath":"$.p")",
      R"("Type":"Pass","ResultPath":"$.p","OutputPath":"$.l")",
      R"("Type":"Pass","Parameters":{"c.$":"$$.Execution.Name","i.$":"$$.Execution.Input"})",
      // Calls
      R"("Type":"Pass","Parameters":{"x.$":"States.MathAdd($.n, 1)","y.$":"States.MathAdd(-1.5, -2)"})",
      R"("Type":"Pass","Parameters":{"x.$":"States.StringSplit($.s, ',')","y.$":"States.StringSplit($.s, '-*,/')"})",
      R"("Type":"Pass","Parameters":{"x.$":"States.ArrayLength($.l)","y.$":"States.ArrayUnique($.l)"
})",
      R"("Type":"Pass","Parameters":{"x.$":"States.ArrayPartition($.l, 2)","y.$":"States.ArrayContains($.l, 2)"
})",
      R"("Type":"Pass","Parameters":{"x.$":"States.ArrayContains($.l, null)","y.$":"States.ArrayContains($.l, 'x')"
})",
      R"("Type":"Pass","Parameters":{"x.$":"States.ArrayGetItem($.l, 0)"
})",
      R"("Type":"Pass","Parameters":{"x.$":"States.ArrayRange(0, 9, 3)","y.$":"States.ArrayRange(1, 1, 1)","z.$":"States.ArrayRange(0, $.n, 1)"
})",
      R"("Type":"Pass","Parameters":{"x.$":"States.Array(1, 'a\\'b', true, null)","y.$":"States.Array(States.ArrayLength($.l))"
})",
      R"("Type":"Pass","Parameters":{"x.$":"States.Format('\\{{}\\} {}', States.ArrayLength($.l), 'q\"')","y.$":"States.Format('{}', 5)"
})",
      R"("Type":"Pass","Parameters":{"x.$":"States.StringToJson($.s)"
})",
      R"("Type":"Pass","Parameters":{"x.$":"States.JsonMerge($.a, $.a.b, false)"
})",
      R"("Type":"Pass","Parameters":{"x.$":"States.Hash('a', 'SHA-1')","y.$":"States.Base64Encode('abc')"
})",
      // Choice
      R"("Type":"Choice","Choices":[{"Variable":"$.a.b","IsPresent":true,"Next":"Yes"}],"Default":"No")",
      R"("Type":"Choice","Choices":[{"Variable":"$.a.b.c","IsPresent":false,"Next":"Yes"}],"Default":"No")",
      R"("Type":"Choice","Choices":[{"Variable":"$.l[0]","IsPresent":true,"Next":"Yes"}],"Default":"No")",
      R"("Type":"Choice","Choices":[{"Variable":"$.l[0].c[0]","IsPresent":true,"Next":"Yes"}],"Default":"No")",
      R"("Type":"Choice","Choices":[{"Variable":"$.n","NumericGreaterThan":1,"Next":"Yes"}],"Default":"No")",
      R"("Type":"Choice","Choices":[{"Variable":"$.n","NumericEquals":2.5,"Next":"Yes"}],"Default":"No")",
      R"("Type":"Choice","Choices":[{"Variable":"$.s","StringLessThanEqualsPath":"$.n","Next":"Yes"}],"Default":"No")",
      R"("Type":"Choice","Choices":[{"Variable":"$.s","StringEqualsPath":"$.n","Next":"Yes"}],"Default":"No")",
      R"("Type":"Choice","Choices":[{"Variable":"$.n","NumericEqualsPath":"$.n","Next":"Yes"}],"Default":"No")",
      R"("Type":"Choice","Choices":[{"Variable":"$.s","StringMatches":"*,*","Next":"Yes"}],"Default":"No")",
      R"("Type":"Choice","Choices":[{"Variable":"$.s","StringMatches":"x\\*y","Next":"Yes"}],"Default":"No")",
      R"("Type":"Choice","Choices":[{"Variable":"$.s","StringMatches":"*\\\\ / {*","Next":"Yes"}],"Default":"No")",
      R"("Type":"Choice","Choices":[{"Variable":"$.a","IsNull":false,"Next":"Yes"}],"Default":"No")",
      R"("Type":"Choice","Choices":[{"Variable":"$.a.b","IsString":false,"Next":"Yes"}],"Default":"No")",
      R"("Type":"Choice","Choices":[{"Variable":"$.n","IsNumeric":true,"Next":"Yes"}],"Default":"No")",
      R"("Type":"Choice","Choices":[{"Not":{"Or":[{"Variable":"$.n","IsNumeric":true},{"And":[{"Variable":"$.s","StringGreaterThan":"b"},{"Variable":"$.n","IsString":true}]}]},"Next":"Yes"}],"Default":"No")",
      R"("Type":"Choice","InputPath":"$.a","OutputPath":"$.b","Choices":[{"Variable":"$.b","IsPresent":true,"Next":"Yes","Assign":{"v.$":"$.b"}}],"Default":"No","Assign":{"w.$":"$"})",
      // Tasks, Wait, Map, Parallel
      R"("Type":"Task","Resource":"a.b","InputPath":"$.a","TimeoutSeconds":5)",
      R"("Type":"Task","Resource":"a.b","ResultSelector":{"x.$":"$.Payload.list","y.$":"$.Value[0]"},"ResultPath":"$.r")",
      R"("Type":"Task","Resource":"a.b","Parameters":{"x.$":"$.l[0]"},"ResultPath":"$.a.r","OutputPath":"$.a")",
      R"("Type":"Task","Resource":"a.b","Assign":{"o.$":"$.o","k.$":"$.o.k[0].v"},"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":"$.a.e","Assign":{"e.$":"$.Error"},"Next":"Yes"}])",
      R"("Type":"Task","Resource":"a.b","ResultPath":null,"Catch":[{"ErrorEquals":["States.ALL"],"ResultPath":null,"Next":"No"}])",
      R"("Type":"Wait","SecondsPath":"$.n")", R"("Type":"Wait","Seconds":1,"InputPath":"$.a","OutputPath":"$.b")",
      R"("Type":"Map","ItemsPath":"$.l","ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","Parameters":{"i.$":"$$.Map.Item.Index","v.$":"$"},"End":true}}},"ResultPath":"$.m")",
      R"("Type":"Map","ItemsPath":"$.l","ItemSelector":{"v.$":"$$.Map.Item.Value","all.$":"$.s"},"ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Succeed","OutputPath":"$.v"}}},"ResultSelector":{"n.$":"$[0]"})",
      R"("Type":"Map","InputPath":"$.l","MaxConcurrencyPath":"$[0]","ItemProcessor":{"StartAt":"P","States":{"P":{"Type":"Pass","End":true}}})",
      R"("Type":"Parallel","Parameters":{"x.$":"$.a"},"Branches":[{"StartAt":"P","States":{"P":{"Type":"Pass","ResultPath":"$.p","End":true}}},{"StartAt":"Q","States":{"Q":{"Type":"Pass","InputPath":"$.x","End":true}}}],"ResultSelector":{"q.$":"$[1]"},"ResultPath":"$.r")"
}
;
Tally tally;
for (const std::string body : bodies) {
  const bool goes_on = body.find("\"Choice\"") == std::string::npos;
  const std::string text = R"({"StartAt":"S","States":{"S":{)" + body +
                           (goes_on ? R"(,"Next":"Yes")" : "") +
                           R"(},"Yes":{"Type":"Pass","Next":"No"},"No":{"Type":"Succeed"}}})";
  const Compiled compiled = compile(text, {"x.json", {}});
  std::string said;
  for (const Diagnostic& one : compiled.diagnostics) said += render(one, text);
  ASSERT_TRUE(compiled.ok()) << said;
  const std::size_t before = tally.converted;
  check(parse_json(text).value(), awkward_inputs(), false, tally);
  EXPECT_GT(tally.converted, before) << text;
}
report(tally);
EXPECT_GT(tally.compared, 500u);
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
