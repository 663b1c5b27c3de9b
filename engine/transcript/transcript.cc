#include "engine/transcript/transcript.h"

#include <algorithm>

#include "engine/transcript/compare.h"
#include "engine/transcript/play.h"
#include "engine/transcript/script.h"

namespace stepwell::transcript {

namespace {

// Mocks that no state asks: a misspelt name would otherwise go unnoticed.
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

CaseReport report_on(const Case& one, const Played& played) {
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
  if (one.transcript && !tell_the_same(*one.transcript, played.transcript)) {
    problem += "the transcript is another (- expected, + what happened):\n" +
               diff(*one.transcript, played.transcript);
  }
  const bool expects = one.status || one.error || one.cause || one.output || one.transcript;
  if (!expects) problem += "nothing is expected: add transcript:, status: or output:\n";
  report.passed = problem.empty();
  return report;
}

dsl::Compiled compile_workflow(const Script& script, const ReadFile& read_workflow,
                               const Options& options, dsl::Findings& findings,
                               std::string& source) {
  dsl::CompileOptions how;
  how.known_resources = options.known_resources;
  if (script.definition) {
    how.file = "definition";
    source = script.definition->to_pretty_json();
  } else {
    how.file = script.workflow;
    auto text = read_workflow(script.workflow);
    if (!text.ok()) {
      findings.error("no-such-file", script.workflow_place, "/workflow", text.error().message);
      return {};
    }
    source = std::move(text).value();
  }
  return dsl::compile(source, how);
}

}  // namespace

bool Report::passed() const {
  const auto is_error = [](const dsl::Diagnostic& one) {
    return one.severity == dsl::Severity::kError;
  };
  return std::none_of(diagnostics.begin(), diagnostics.end(), is_error) &&
         std::all_of(cases.begin(), cases.end(), [](const CaseReport& one) { return one.passed; });
}

Report run_tests(std::string_view text, const std::string& file, const ReadFile& read_workflow,
                 const Options& options) {
  Report report;
  report.updated = std::string(text);
  dsl::Findings findings(file);
  const dsl::Document document = dsl::read_document(text, file, findings);
  Script script;
  if (document.root != nullptr) script = read_script(document, findings);
  dsl::Compiled compiled;
  std::string source;
  if (!findings.has_errors()) {
    compiled = compile_workflow(script, read_workflow, options, findings, source);
    if (compiled.ok()) check_names(*compiled.program, script, findings);
  }
  const bool is_playable = compiled.ok() && !findings.has_errors();
  report.diagnostics = findings.take();
  for (const dsl::Diagnostic& one : report.diagnostics) report.diagnosis += render(one, text);
  for (dsl::Diagnostic& one : compiled.diagnostics) {
    if (one.severity != dsl::Severity::kError) continue;
    report.diagnosis += render(one, source);
    report.diagnostics.push_back(std::move(one));
  }
  if (!is_playable) return report;
  std::vector<NewTranscript> transcripts;
  for (const Case& one : script.cases) {
    const Played played = play(*compiled.program, one, options.check_fold);
    report.cases.push_back(report_on(one, played));
    // A case that only expects an end keeps its form.
    const bool has_other = one.status || one.error || one.cause || one.output;
    if (one.transcript || !has_other) transcripts.push_back({one.node, played.transcript});
  }
  report.updated = with_transcripts(text, transcripts);
  return report;
}

}  // namespace stepwell::transcript
