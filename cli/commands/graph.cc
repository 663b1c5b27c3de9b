#include "authoring/graph/graph.h"

#include <fstream>
#include <memory>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/output_file.h"
#include "cli/substitutions.h"
#include "cli/target.h"
#include "cli/workflow_files.h"

namespace stepwell::cli {
namespace {

struct Arguments {
  std::string file, format = "svg", execution, history, output;
  Where where;
  SubstitutionOptions substitutions;
};

// The whole history of an execution.
std::optional<Value::Array> fetch_events(Console& console, const Arguments& given, Exit& exit) {
  const auto found = find_executions(console, given.where, exit);
  if (!found) return std::nullopt;
  Value::Array events;
  HistoryOptions options;
  do {
    const auto page = found->executions->history(given.execution, options);
    if (!page) {
      exit = console.fail(page.code, page.error);
      return std::nullopt;
    }
    for (const std::string& text : page.value.events) {
      auto event = parse_json(text);
      if (event.ok()) events.push_back(std::move(*event));
    }
    options.next = page.value.next;
  } while (!options.next.empty());
  return events;
}

std::optional<Value::Array> read_events_file(Console& console, const Arguments& given, Exit& exit) {
  const auto text = read_file(given.history);
  if (!text.ok()) {
    exit = console.fail(text.error());
    return std::nullopt;
  }
  auto events = graph::read_events(*text);
  if (events.ok()) return std::move(*events);
  exit = console.fail(Exit::kUsage, given.history + " is not a history: " + events.error().message,
                      "`stepwell exec history EXECUTION -o json` writes one");
  return std::nullopt;
}

Exit draw(Console& console, const Arguments& given) {
  if (!given.execution.empty() && !given.history.empty()) {
    return console.fail(Exit::kUsage, "--execution and --history exclude each other");
  }
  const auto written = read_file(given.file);
  if (!written.ok()) return console.fail(written.error());
  auto substitutions = Substitutions::read(given.substitutions);
  if (!substitutions.ok()) return console.fail(Exit::kUsage, substitutions.error().message);
  const std::string source = substitutions->apply(*written);
  dsl::CompileOptions options;
  options.file = given.file;
  const dsl::Compiled compiled = dsl::compile(source, options);
  if (!compiled.ok()) {
    show_diagnostics(console, compiled.diagnostics, source);
    return console.fail(Exit::kFailed, "only a workflow without errors can be drawn");
  }
  Exit exit = Exit::kOk;
  std::optional<graph::Progress> progress;
  if (!given.execution.empty() || !given.history.empty()) {
    const auto events = given.history.empty() ? fetch_events(console, given, exit)
                                              : read_events_file(console, given, exit);
    if (!events) return exit;
    auto read = graph::read_progress(*events);
    if (!read.ok()) return console.fail(Exit::kUsage, read.error().message);
    progress = std::move(*read);
  }
  const graph::Chart chart = graph::read_chart(compiled.program->definition);
  const graph::Progress* shown = progress ? &*progress : nullptr;
  if (given.format == "mermaid") {
    return write_result(console, given.output, graph::to_mermaid(chart, shown));
  }
  const auto svg = graph::to_svg(chart, shown, given.file);
  if (!svg.ok()) {
    return console.fail(Exit::kFailed, given.file + " is too large to draw: " + svg.error().message,
                        "--format mermaid leaves the drawing to somebody else");
  }
  return write_result(console, given.output, *svg);
}

}  // namespace

Command graph_command() {
  auto given = std::make_shared<Arguments>();
  return {"graph", "Draw a workflow, coloured by what an execution did",
          with_where(with_substitutions(
                         {{"FILE", &given->file, "the workflow", true},
                          {"--format", &given->format, "svg or mermaid", false, {"svg", "mermaid"}},
                          {"--execution", &given->execution, "colour it by this execution"},
                          {"--history", &given->history, "colour it by the events in this file"},
                          {"-o,--output", &given->output, "write to this file"}},
                         given->substitutions),
                     given->where),
          [given](Console& console) { return draw(console, *given); },
          "A history is what `stepwell exec history EXECUTION -o json` prints, or an answer of\n"
          "GetExecutionHistory.  Dashed lines are retries and catches."};
}

}  // namespace stepwell::cli
