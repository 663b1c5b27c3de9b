#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <set>

#include "authoring/transcript/transcript.h"
#include "cli/changes.h"
#include "cli/commands.h"
#include "cli/coverage.h"
#include "cli/input.h"
#include "cli/interrupt.h"
#include "cli/providers.h"
#include "cli/substitutions.h"
#include "cli/workflow_files.h"

namespace stepwell::cli {
namespace {

namespace fs = std::filesystem;

struct TestArguments {
  std::vector<std::string> paths;
  std::string providers, output = "table";
  bool is_update = false, wants_coverage = false, is_watching = false;
  int min_coverage = 0;  // In percent.
  SubstitutionOptions substitutions;
};

struct Totals {
  std::size_t passed = 0, failed = 0;
  Coverage coverage;
  std::set<std::string> read;  // Every file that it depends on.
};

std::string path_beside(const std::string& test_file, const std::string& name) {
  return (fs::path(test_file).parent_path() / name).lexically_normal().string();
}

// What a test file names stands relative to it.
transcript::ReadFile reader_beside(const std::string& test_file, Substitutions& substitutions,
                                   std::set<std::string>& read) {
  return [&read, &substitutions, test_file](const std::string& name) -> Result<std::string> {
    const std::string path = path_beside(test_file, name);
    read.insert(path);
    return substitutions.apply(TRY(read_file(path)));
  };
}

Value to_json(const std::string& file, const transcript::CaseReport& one) {
  return Value(Object{{"file", file},
                      {"name", one.name},
                      {"passed", one.passed},
                      {"problem", one.problem},
                      {"transcript", one.transcript}});
}

// `is_new`: its transcript was written just now.
void show(Console& console, const std::string& file, const transcript::CaseReport& one,
          bool is_new) {
  const std::string name = file + (one.name.empty() ? "" : ": " + one.name);
  const bool is_odd = is_new && one.passed && !one.bad_end.empty();
  console.print((one.passed ? "ok    " : "FAIL  ") + name +
                (is_odd ? "  (it " + one.bad_end + ")" : ""));
  if (!one.passed) console.print(one.problem);
  if (is_odd) {
    console.say(name + ": the execution " + one.bad_end +
                "; if that is meant, say so with status: in the test");
  }
}

// Answers false when the file could not be read or written, or is wrong as a whole.
bool run_file(Console& console, const TestArguments& given, const std::string& file,
              const transcript::Options& options, Substitutions& substitutions, Totals& totals) {
  totals.read.insert(file);
  const auto text = read_file(file);
  if (!text.ok()) {
    console.fail(text.error());
    return false;
  }
  transcript::Report report =
      transcript::run_tests(*text, file, reader_beside(file, substitutions, totals.read), options);
  totals.coverage.add(report.workflow.empty() ? file : path_beside(file, report.workflow),
                      report.parts);
  if (!report.diagnosis.empty()) console.print(report.diagnosis);
  if (given.is_update && report.updated != *text) {
    std::ofstream out(file, std::ios::binary);
    out << report.updated;
    if (!out.flush()) {
      console.fail(Exit::kDenied, "cannot write " + file);
      return false;
    }
    console.say("updated " + file);
  }
  for (transcript::CaseReport& one : report.cases) {
    // Its new transcript was written; what else it expects must still hold.
    const bool is_new = given.is_update && one.is_stale && !one.is_wrong;
    if (is_new) one.passed = true;
    (one.passed ? totals.passed : totals.failed) += 1;
    if (given.output == "json") {
      console.print(to_json(file, one).to_json());
    } else {
      show(console, file, one, is_new);
    }
  }
  if (report.cases.empty()) ++totals.failed;
  return true;
}

Exit run_once(Console& console, const TestArguments& given, Totals& totals) {
  const auto files = find_transcripts(given.paths);
  if (!files.ok()) return console.fail(files.error());
  if (files->empty()) {
    return console.fail(
        Exit::kNotFound, "no test is there",
        "tests are files that end in .test.yaml; docs/transcripts.md has the format");
  }
  auto substitutions = Substitutions::read(given.substitutions);
  if (!substitutions.ok()) return console.fail(Exit::kUsage, substitutions.error().message);
  transcript::Options options;
  options.known_resources = known_resources(given.providers);
  for (const std::string& file : *files) {
    if (!run_file(console, given, file, options, *substitutions, totals)) return Exit::kDenied;
  }
  tell_unused(console, *substitutions);
  const bool has_too_little = totals.coverage.percent() < given.min_coverage;
  if (given.wants_coverage && given.output == "json") totals.coverage.print_json(console);
  if ((given.wants_coverage || has_too_little) && given.output != "json")
    totals.coverage.print(console);
  console.say(std::to_string(totals.passed) + " passed, " + std::to_string(totals.failed) +
              " failed");
  if (has_too_little) {
    char percent[16];
    std::snprintf(percent, sizeof percent, "%.1f", totals.coverage.percent());
    return console.fail(Exit::kFailed,
                        "the tests reach " + std::string(percent) +
                            " % of the workflows, less than " + std::to_string(given.min_coverage) +
                            " %",
                        "write cases that reach what is listed above");
  }
  return totals.failed == 0 ? Exit::kOk : Exit::kFailed;
}

// Again whenever a file changes, until Ctrl-C; a folder changes when a file comes.
Exit run_test(Console& console, const TestArguments& given) {
  if (given.is_watching) Interrupt::install();
  while (true) {
    Totals totals;
    const Exit exit = run_once(console, given, totals);
    if (!given.is_watching) return exit;
    std::set<std::string> files = totals.read;
    files.insert(given.paths.begin(), given.paths.end());
    for (const std::string& file : totals.read) files.insert(fs::path(file).parent_path().string());
    files.erase("");
    Changes changes(files);
    console.say("watching " + std::to_string(totals.read.size()) + " files; Ctrl-C ends");
    if (!changes.wait()) return exit;
  }
}

}  // namespace

Command test_command() {
  auto given = std::make_shared<TestArguments>();
  return {"test", "Run transcripts (*.test.yaml): workflows in virtual time, with mocked tasks",
          with_substitutions(
              {{"PATH", &given->paths, "files or folders", true},
               {"--update", &given->is_update, "write what happened into the files"},
               {"--coverage", &given->wants_coverage, "say what of the workflows no test reaches"},
               {"--min-coverage", &given->min_coverage,
                "fail when less than so many percent of them is reached"},
               {"--watch", &given->is_watching, "run again whenever a file changes"},
               {"--providers", &given->providers, "folder of providers whose functions exist"},
               output_option(given->output)},
              given->substitutions),
          [given](Console& console) { return run_test(console, *given); },
          "A year of waiting takes no time here.  Nothing outside is called.  -o json prints one\n"
          "object per case, and with --coverage one per workflow."};
}

}  // namespace stepwell::cli
