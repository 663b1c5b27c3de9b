#include <memory>

#include "base/value.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/providers.h"
#include "cli/substitutions.h"
#include "cli/workflow_files.h"

namespace stepwell::cli {
namespace {

struct Totals {
  std::size_t files = 0, errors = 0, warnings = 0;
};

std::string count(std::size_t number, const std::string& thing) {
  return std::to_string(number) + " " + thing + (number == 1 ? "" : "s");
}

}  // namespace

Command lint_command() {
  struct Arguments {
    std::vector<std::string> paths;
    std::string providers, output = "table";
    SubstitutionOptions substitutions;
  };
  auto given = std::make_shared<Arguments>();
  const auto run = [given](Console& console) {
    const auto files = find_workflows(given->paths);
    if (!files.ok()) return console.fail(files.error());
    if (files->empty()) {
      return console.fail(Exit::kNotFound, "no workflow is there",
                          "workflows are files that end in .yaml, .yml or .json");
    }
    auto substitutions = Substitutions::read(given->substitutions);
    if (!substitutions.ok()) return console.fail(Exit::kUsage, substitutions.error().message);
    dsl::CompileOptions options;
    options.known_resources = known_resources(given->providers);
    Totals totals;
    Value::Array all;
    for (const WorkflowFile& file : *files) {
      const auto text = read_file(file.path);
      if (!text.ok()) return console.fail(text.error());
      const std::string source = substitutions->apply(*text);
      options.file = file.path;
      const dsl::Compiled compiled = dsl::compile(source, options);
      ++totals.files;
      for (const auto& diagnostic : compiled.diagnostics) {
        const bool is_error = diagnostic.severity == dsl::Severity::kError;
        (is_error ? totals.errors : totals.warnings) += 1;
        if (given->output == "json") all.push_back(dsl::to_json(diagnostic));
      }
      if (given->output != "json") print_diagnostics(console, compiled.diagnostics, source);
    }
    if (given->output == "json") console.print(Value(std::move(all)).to_json());
    const bool is_used = tell_unused(console, *substitutions);
    console.say(count(totals.files, "file") + ", " + count(totals.errors, "error") + ", " +
                count(totals.warnings, "warning"));
    return totals.errors == 0 && is_used ? Exit::kOk : Exit::kFailed;
  };
  return {"lint", "Check workflow files; every mistake with line, column and a hint",
          with_substitutions(
              {{"PATH", &given->paths, "files or folders", true},
               {"--providers", &given->providers, "folder of providers whose functions exist"},
               output_option(given->output)},
              given->substitutions),
          run,
          "-o json prints one array of diagnostics.  Exit 0: no errors (warnings are none), 1: "
          "errors."};
}

}  // namespace stepwell::cli
