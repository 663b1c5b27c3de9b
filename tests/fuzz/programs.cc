#include "tests/fuzz/programs.h"

#include "dsl/dsl.h"

namespace stepwell::fuzz {

namespace {

// Their order is part of what the kept inputs mean: append only.
constexpr const char* kTexts[] = {
    // A task with retriers, a catcher, a timeout and a heartbeat.
    R"yaml(StartAt: A
TimeoutSeconds: 900
States:
  A:
    Type: Task
    Resource: test.work
    TimeoutSeconds: 60
    HeartbeatSeconds: 5
    Retry:
      - {ErrorEquals: [Flaky, States.Timeout], MaxAttempts: 2, JitterStrategy: FULL}
      - {ErrorEquals: [States.TaskFailed], MaxAttempts: 1, MaxDelaySeconds: 3, BackoffRate: 3}
    Catch: [{ErrorEquals: [States.ALL], ResultPath: $.why, Next: B}]
    Next: B
  B: {Type: Task, Resource: test.work, ResultPath: $.b.c, End: true}
)yaml",
    // A Map in a Map, both with bounds on how many run.
    R"yaml(StartAt: M
States:
  M:
    Type: Map
    ItemsPath: $.items
    MaxConcurrency: 2
    ItemSelector: {"v.$": "$$.Map.Item.Value", "i.$": "$$.Map.Item.Index"}
    Retry: [{ErrorEquals: [States.ALL], MaxAttempts: 1}]
    ItemProcessor:
      StartAt: N
      States:
        N:
          Type: Map
          ItemsPath: $.v
          MaxConcurrency: 1
          Catch: [{ErrorEquals: [Flaky], Next: P}]
          ItemProcessor:
            StartAt: T
            States:
              T: {Type: Task, Resource: test.work, End: true}
          Next: P
        P: {Type: Pass, End: true}
    End: true
)yaml",
    // A Parallel whose branches wait, fail and work; whoever fails first takes all with it.
    R"yaml(StartAt: P
States:
  P:
    Type: Parallel
    ResultPath: $.all
    Catch: [{ErrorEquals: [Expected, States.Timeout], ResultPath: $.why, Next: Q}]
    Branches:
      - StartAt: W
        States: {W: {Type: Wait, Seconds: 5, Next: F}, F: {Type: Fail, Error: Expected}}
      - {StartAt: T, States: {T: {Type: Task, Resource: test.work, TimeoutSeconds: 3, End: true}}}
      - StartAt: D
        States:
          D: {Type: Parallel, End: true, Branches: [
            {StartAt: T1, States: {T1: {Type: Task, Resource: test.work, End: true}}},
            {StartAt: T2, States: {T2: {Type: Task, Resource: test.work, End: true}}}]}
    Next: Q
  Q: {Type: Succeed, OutputPath: $.all}
)yaml",
    // Waits of all kinds; the input may name times that make no sense.
    R"yaml(StartAt: C
States:
  C:
    Type: Choice
    Choices:
      - {Variable: $.until, IsPresent: true, Next: U}
      - {Variable: $.n, NumericGreaterThan: 2, Next: S}
      - {Not: {Variable: $.text, StringMatches: "t*"}, Next: L}
    Default: L
  U: {Type: Wait, TimestampPath: $.until, Next: L}
  S: {Type: Wait, SecondsPath: $.n, Next: L}
  L: {Type: Wait, Seconds: 1, Next: T}
  T: {Type: Task, Resource: test.work, TimeoutSecondsPath: $.n, Next: C}
)yaml",
    // Goes round and round without anybody's help, until its count is full.
    R"yaml(StartAt: Set
States:
  Set: {Type: Pass, Assign: {"i": 0}, Next: More}
  More:
    Type: Choice
    Choices: [{Variable: $i, NumericLessThan: 12, Next: Add}]
    Default: End
  Add:
    Type: Pass
    Assign: {"i.$": "States.MathAdd($i, 1)"}
    Next: More
  End: {Type: Succeed}
)yaml",
    // JSONata: retries, catchers, computed bounds, variables.
    R"yaml(QueryLanguage: JSONata
StartAt: A
States:
  A:
    Type: Task
    Resource: test.work
    Arguments: "{% {'n': $states.input.n, 'again': $states.context.State.RetryCount} %}"
    TimeoutSeconds: "{% $states.input.n + 1 %}"
    Assign: {r: "{% $states.result %}", at: "{% $millis() %}"}
    Output: "{% $merge([$states.input, {'a': $states.result}]) %}"
    Retry: [{ErrorEquals: [Flaky], MaxAttempts: 2}]
    Catch:
      - ErrorEquals: [States.ALL]
        Assign: {r: "{% $states.errorOutput.Error %}"}
        Output: "{% $states.input %}"
        Next: B
    Next: B
  B:
    Type: Choice
    Choices: [{Condition: "{% $type($r) = 'string' %}", Next: W}]
    Default: M
  W: {Type: Wait, Seconds: "{% $length($r) %}", Next: M}
  M:
    Type: Map
    Items: "{% $states.input.items %}"
    MaxConcurrency: "{% 1 + 1 %}"
    ItemSelector: {v: "{% $states.context.Map.Item.Value %}", r: "{% $r %}", u: "{% $uuid() %}"}
    ItemProcessor:
      StartAt: T
      States: {T: {Type: Task, Resource: test.work, Output: "{% $random() %}", End: true}}
    Output: "{% $count($states.result) %}"
    End: true
)yaml",
    // Failures that it borrows from what it was given.
    R"yaml(StartAt: T
States:
  T:
    Type: Task
    Resource: test.work
    ResultSelector: {"k.$": "$.k"}
    ResultPath: $.t
    Catch:
      - {ErrorEquals: [States.Runtime], Next: F}
      - {ErrorEquals: [States.ALL], ResultPath: $.t, Next: F}
    Next: F
  F: {Type: Fail, ErrorPath: $.t.Error, CausePath: "States.Format('{}', $.t)"
}
)yaml",
    // Batches, and a Map that bears failures.
    R"yaml(QueryLanguage: JSONata
StartAt: M
States:
  M:
    Type: Map
    Items: "{% [1..7] %}"
    MaxConcurrency: 3
    ItemProcessor:
      StartAt: P
      States:
        P: {Type: Parallel, End: true, Branches: [
          {StartAt: W, States: {W: {Type: Wait, Seconds: 2, End: true}}},
          {StartAt: T, States: {T: {Type: Task, Resource: test.work, End: true,
            Retry: [{ErrorEquals: [States.ALL], IntervalSeconds: 1, MaxAttempts: 1}]}}}]}
    Catch: [{ErrorEquals: [Flaky], Next: E}]
    Next: E
  E: {Type: Succeed, Output: "{% $states.input %}"}
)yaml",
    // Variables of every level, and branches that shadow nothing but change their own.
    R"yaml(StartAt: A
States:
  A: {Type: Pass, Assign: {x: {deep: [1, 2, 3]}, "y.$": $.items}, Next: P}
  P:
    Type: Parallel
    Branches:
      - StartAt: T
        States:
          T:
            Type: Task
            Resource: test.work
            Parameters: {"x.$": "$x.deep[1]"}
            Assign: {"z.$": $}
            Next: U
          U: {Type: Pass, Parameters: {"z.$": $z}, End: true}
      - StartAt: T2
        States: {T2: {Type: Task, Resource: test.work, Parameters: {"y.$": "$y[*].n"}, End: true}}
    Assign: {"all.$": $}
    Next: W
  W: {Type: Wait, Timestamp: "2023-11-14T22:20:00Z", End: true}
)yaml",
    // Two tasks that hand to one another for as long as they return n.
    R"yaml(StartAt: A
States:
  A: {Type: Task, Resource: test.work, Next: C}
  C:
    Type: Choice
    Choices: [{And: [{Variable: $.n, IsPresent: true}, {Variable: $.n, IsNumeric: true}], Next: B}]
    Default: S
  B: {Type: Task, Resource: test.work, Next: C2}
  C2:
    Type: Choice
    Choices: [{Variable: $.n, IsPresent: true, Next: A}]
  S: {Type: Succeed}
)yaml",
    // Payloads that grow.
    R"yaml(StartAt: G
States:
  G: {Type: Pass, Parameters: {"a.$": $, "b.$": $}, Next: T}
  T: {Type: Task, Resource: test.work, ResultPath: $.t, Next: C}
  C: {Type: Choice, Choices: [{Variable: $.t.k, IsPresent: true, Next: G}], Default: S}
  S: {Type: Pass, OutputPath: $.t, End: true}
)yaml",
    // Nothing but a time limit on a long wait.
    R"yaml(StartAt: W
TimeoutSeconds: 10
States:
  W: {Type: Wait, Seconds: 99999999, Next: T}
  T: {Type: Task, Resource: test.work, End: true}
)yaml",
};

}  // namespace

const std::vector<ProgramRef>& programs() {
  static const std::vector<ProgramRef> kAll = [] {
    std::vector<ProgramRef> made;
    for (const char* text : kTexts) {
      dsl::Compiled compiled = dsl::compile(text);
      std::string why;
      for (const auto& one : compiled.diagnostics) {
        if (one.severity == dsl::Severity::kError) why += dsl::render(one, text);
      }
      CHECK(compiled.ok(), why);
      made.push_back(std::move(compiled.program));
    }
    return made;
  }();
  return kAll;
}

}  // namespace stepwell::fuzz
