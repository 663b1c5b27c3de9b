#include <filesystem>
#include <fstream>
#include <memory>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/providers.h"
#include "cli/workflow_files.h"
#include "engine/transcript/transcript.h"

namespace stepwell::cli {
namespace {

namespace fs = std::filesystem;

struct TestArguments {
  std::vector<std::string> paths;
  std::string providers, output = "table";
  bool is_update = false;
};

struct Totals {
  std::size_t passed = 0, failed = 0;
};

// The workflow that a test file names, which stands relative to it.
transcript::ReadFile reader_beside(const std::string& test_file) {
  const fs::path folder = fs::path(test_file).parent_path();
  return [folder](const std::string& name) { return read_file((folder / name).string()); };
}

Value to_json(const std::string& file, const transcript::CaseReport& one) {
  return Value(Object{{"file", file},
                      {"name", one.name},
                      {"passed", one.passed},
                      {"problem", one.problem},
                      {"transcript", one.transcript}});
}

void show(Console& console, const std::string& file, const transcript::CaseReport& one) {
  const std::string name = file + (one.name.empty() ? "" : ": " + one.name);
  console.print((one.passed ? "ok    " : "FAIL  ") + name);
  if (!one.passed) console.print(one.problem);
}

// Answers false when the file could not be read or written, or is wrong as a whole.
bool run_file(Console& console, const TestArguments& given, const std::string& file,
              const transcript::Options& options, Totals& totals) {
  const auto text = read_file(file);
  if (!text.ok()) {
    console.fail(Exit::kDenied, text.error().message);
    return false;
  }
  const transcript::Report report =
      transcript::run_tests(*text, file, reader_beside(file), options);
  if (!report.diagnosis.empty()) console.print(report.diagnosis);
  if (given.is_update && !report.cases.empty() && report.updated != *text) {
    std::ofstream out(file, std::ios::binary);
    out << report.updated;
    if (!out.flush()) {
      console.fail(Exit::kDenied, "cannot write " + file);
      return false;
    }
    console.say("updated " + file);
    totals.passed += report.cases.size();
    return true;
  }
  for (const auto& one : report.cases) {
    (one.passed ? totals.passed : totals.failed) += 1;
    if (given.output == "json") {
      console.print(to_json(file, one).to_json());
    } else {
      show(console, file, one);
    }
  }
  if (report.cases.empty()) ++totals.failed;
  return true;
}

Exit run_test(Console& console, const TestArguments& given) {
  const auto files = find_transcripts(given.paths);
  if (!files.ok()) return console.fail(Exit::kNotFound, files.error().message);
  if (files->empty()) {
    return console.fail(
        Exit::kNotFound, "no test is there",
        "tests are files that end in .test.yaml; docs/transcripts.md has the format");
  }
  transcript::Options options;
  options.known_resources = known_resources(given.providers);
  Totals totals;
  for (const std::string& file : *files) {
    if (!run_file(console, given, file, options, totals)) return Exit::kDenied;
  }
  console.say(std::to_string(totals.passed) + " passed, " + std::to_string(totals.failed) +
              " failed");
  return totals.failed == 0 ? Exit::kOk : Exit::kFailed;
}

}  // namespace

Command test_command() {
  auto given = std::make_shared<TestArguments>();
  return {"test",
          "Run transcripts (*.test.yaml): workflows in virtual time, with mocked tasks",
          {{"PATH", &given->paths, "files or folders", true},
           {"--update", &given->is_update, "write what happened into the files"},
           {"--providers", &given->providers, "folder of providers whose functions exist"},
           output_option(given->output)},
          [given](Console& console) { return run_test(console, *given); },
          "A year of waiting takes no time here.  Nothing outside is called.  -o json prints one\n"
          "object per case."};
}

}  // namespace stepwell::cli
