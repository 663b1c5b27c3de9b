#include "authoring/transcript/transcript.h"

#include <algorithm>

#include "authoring/transcript/compare.h"
#include "authoring/transcript/mock_config.h"
#include "authoring/transcript/play.h"
#include "authoring/transcript/script.h"

namespace stepwell::transcript {

namespace {

// Reports mocks that no state uses: otherwise a misspelt name would go unnoticed.
void check_names(const Program& program, const Script& script, dsl::Findings& findings) {
  std::vector<std::string> known;
  for (const Machine& machine : program.machines) {
    for (const State& state : machine.states) {
      const auto* task = std::get_if<Task>(&state.kind);
      if (task == nullptr) continue;
      known.push_back(state.name);
      known.push_back(task->resource);
    }
  }
  for (const Case& one : script.cases) {
    for (const TaskMocks& mocks : one.tasks) {
      if (std::find(known.begin(), known.end(), mocks.name) != known.end()) continue;
      const std::string near = dsl::nearest(mocks.name, known);
      findings.error("unknown-task", mocks.place, "",
                     "no Task of the workflow has this name or resource: " + mocks.name,
                     near.empty() ? near : "did you mean " + json_quote(near) + "?");
    }
  }
}

void expect_text(const std::string& what, const std::optional<std::string>& expected,
                 const std::optional<std::string>& actual, std::string& problem) {
  if (!expected || expected == actual) return;
  problem += what + " is " + (actual ? json_quote(*actual) : "not there") + ", expected " +
             json_quote(*expected) + "\n";
}

// The line of the workflow at which the execution failed, with a caret below.
std::string failure_line(const Program& program, const Played& played, const std::string& source) {
  if (played.execution.status != ExecutionStatus::kFailed || !played.failed_at) return {};
  const SourceSpan span = where(program, *played.failed_at);
  if (span.line == 0) return {};
  const State& state = program.state(played.failed_at->machine, played.failed_at->state);
  dsl::Diagnostic failure;
  failure.code = "failed";
  failure.file = program.file;
  failure.line = span.line;
  failure.column = span.column;
  if (span.pointer == state.where.pointer) failure.length = dsl::characters_of(state.name);
  failure.message = "the state " + state.name + " failed: " + played.execution.error.value_or("");
  if (played.execution.cause) failure.message += ": " + *played.execution.cause;
  const std::string& value = played.failed_at->blame.value;
  if (!value.empty()) failure.hint = "the value was " + value;
  return render(failure, source);
}

CaseReport report_on(const Case& one, const Played& played, const Program& program,
                     const std::string& source) {
  CaseReport report;
  report.name = one.name;
  report.transcript = played.transcript;
  std::string& problem = report.problem;
  if (!played.problem.empty()) problem += played.problem + "\n";
  if (played.refused && !one.transcript) problem += "the start is refused: " + played.transcript;
  const Execution& execution = played.execution;
  expect_text("the status", one.status, to_string(execution.status), problem);
  expect_text("the error", one.error, execution.error, problem);
  expect_text("the cause", one.cause, execution.cause, problem);
  if (one.output && !(*one.output == execution.output)) {
    problem += "the output is " + execution.output.to_json() + ", expected " +
               one.output->to_json() + "\n";
  }
  report.is_wrong = !problem.empty();
  report.is_stale = one.transcript && !tell_the_same(*one.transcript, played.transcript);
  if (report.is_stale) {
    problem += "the transcript is another (- expected, + what happened):\n" +
               diff(*one.transcript, played.transcript);
  }
  if (!problem.empty()) problem += failure_line(program, played, source);
  const bool expects = one.status || one.error || one.cause || one.output || one.transcript;
  if (!expects) {
    problem += "nothing is expected: add transcript:, status: or output:\n";
    report.is_stale = true;
  }
  const bool is_well = execution.status == ExecutionStatus::kSucceeded || !execution.is_started();
  if (!is_well && !one.status && !one.error) {
    report.bad_end = to_string(execution.status);
    if (execution.error) report.bad_end += " with " + *execution.error;
  }
  report.passed = problem.empty();
  return report;
}

// Adds the mocks from files of their own; those in the test file are used before them.
void add_mock_configs(Script& script, const ReadFile& read_file, dsl::Findings& findings,
                      Report& report) {
  for (Case& one : script.cases) {
    if (!one.mock_config) continue;
    const MockConfig& config = *one.mock_config;
    const auto text = read_file(config.file);
    if (!text.ok()) {
      findings.error("no-such-file", config.place, "/mock_config", text.error().message);
      continue;
    }
    dsl::Findings own(config.file);
    const dsl::Document document = dsl::read_document(*text, config.file, own);
    dsl::refuse_outdated(document, own);
    if (document.root != nullptr) {
      for (TaskMocks& mocks : read_mock_config(document, config.test_case, config.place, own)) {
        one.tasks.push_back(std::move(mocks));
      }
    }
    if (!own.has_errors()) continue;
    for (dsl::Diagnostic& wrong : own.take()) {
      report.diagnosis += render(wrong, *text);
      report.diagnostics.push_back(std::move(wrong));
    }
  }
}

bool has_errors(const std::vector<dsl::Diagnostic>& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(), [](const dsl::Diagnostic& one) {
    return one.severity == dsl::Severity::kError;
  });
}

// `file` is the test file, `source` becomes the text in which the workflow stands.
dsl::Compiled compile_workflow(const Script& script, const dsl::Document& document,
                               const std::string& file, const ReadFile& read_workflow,
                               const Options& options, dsl::Findings& findings,
                               std::string& source) {
  dsl::CompileOptions how;
  how.known_resources = options.known_resources;
  if (script.definition != nullptr) {
    how.file = file;
    source = std::string(document.text);
    return dsl::compile(document, *script.definition, how);
  }
  how.file = script.workflow;
  auto text = read_workflow(script.workflow);
  if (!text.ok()) {
    findings.error("no-such-file", script.workflow_place, "/workflow", text.error().message);
    return {};
  }
  source = std::move(text).value();
  return dsl::compile(source, how);
}

}  // namespace

bool Report::passed() const {
  return !has_errors(diagnostics) &&
         std::all_of(cases.begin(), cases.end(), [](const CaseReport& one) { return one.passed; });
}

Report run_tests(std::string_view text, const std::string& file, const ReadFile& read_workflow,
                 const Options& options) {
  Report report;
  report.updated = std::string(text);
  dsl::Findings findings(file);
  const dsl::Document document = dsl::read_document(text, file, findings);
  dsl::refuse_outdated(document, findings);
  Script script;
  if (document.root != nullptr) script = read_script(document, findings);
  dsl::Compiled compiled;
  std::string source;
  if (!findings.has_errors()) {
    add_mock_configs(script, read_workflow, findings, report);
    compiled = compile_workflow(script, document, file, read_workflow, options, findings, source);
    if (compiled.ok()) check_names(*compiled.program, script, findings);
  }
  const bool is_playable =
      compiled.ok() && !findings.has_errors() && !has_errors(report.diagnostics);
  for (dsl::Diagnostic& one : findings.take()) {
    report.diagnosis += render(one, text);
    report.diagnostics.push_back(std::move(one));
  }
  for (dsl::Diagnostic& one : compiled.diagnostics) {
    if (one.severity != dsl::Severity::kError) continue;
    report.diagnosis += render(one, source);
    report.diagnostics.push_back(std::move(one));
  }
  if (!is_playable) return report;
  Reached reached;
  std::vector<NewTranscript> transcripts;
  for (const Case& one : script.cases) {
    const Played played = play(*compiled.program, one, options.check_fold, reached);
    report.cases.push_back(report_on(one, played, *compiled.program, source));
    // A run that did not come to an end has no transcript worth keeping.
    const bool is_whole = played.problem.empty();
    if (is_whole && report.cases.back().is_stale) {
      transcripts.push_back({one.node, played.transcript});
    }
  }
  report.updated = with_transcripts(text, transcripts);
  report.workflow = script.workflow;
  report.parts = parts_of(*compiled.program, reached);
  return report;
}

}  // namespace stepwell::transcript
