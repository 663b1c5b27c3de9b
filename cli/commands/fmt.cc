#include <algorithm>
#include <iostream>
#include <iterator>
#include <memory>

#include "authoring/source/tree.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/output_file.h"
#include "cli/workflow_files.h"

namespace stepwell::cli {
namespace {

struct Arguments {
  std::vector<std::string> paths;
  bool is_check = false;
};

// Standard input to standard output, for editors.
Exit format_stream(Console& console) {
  const std::string text{std::istreambuf_iterator<char>(std::cin), {}};
  const auto tidy = dsl::source::format_text(text, "standard input");
  if (!tidy.ok()) return console.fail(Exit::kFailed, tidy.error().message);
  return write_result(console, "", *tidy);
}

enum class Outcome { kTidy, kChanged, kRefused, kNotOurs };

// `is_named`: somebody wrote its name; in a folder only what looks like a workflow is touched.
Outcome format_file(Console& console, const std::string& path, bool is_check, bool is_named) {
  const auto text = read_file(path);
  if (!text.ok()) {
    console.fail(text.error());
    return Outcome::kRefused;
  }
  const dsl::Parsed parsed = dsl::parse_document(*text, path);
  const bool is_workflow =
      parsed.value.find("StartAt") != nullptr && parsed.value.find("States") != nullptr;
  if (!is_named && parsed.diagnostics.empty() && !is_workflow) return Outcome::kNotOurs;
  if (show_diagnostics(console, parsed.diagnostics, *text) > 0) return Outcome::kRefused;
  const auto tidy = dsl::source::format_text(*text, path);
  if (!tidy.ok()) {
    console.fail(Exit::kFailed, path + " is left as it is: " + tidy.error().message);
    return Outcome::kRefused;
  }
  if (*tidy == *text) return Outcome::kTidy;
  if (is_check) {
    console.print(path);
    return Outcome::kChanged;
  }
  if (write_result(console, path, *tidy) != Exit::kOk) return Outcome::kRefused;
  console.print(path);
  return Outcome::kChanged;
}

std::string files(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " file" : " files");
}

Exit format(Console& console, Arguments given) {
  if (given.paths == std::vector<std::string>{"-"}) return format_stream(console);
  if (given.paths.empty()) given.paths = {"."};
  const auto found = find_workflows(given.paths);
  if (!found.ok()) return console.fail(found.error());
  std::size_t count = 0, changed = 0, refused = 0;
  for (const WorkflowFile& file : *found) {
    const bool is_named =
        std::find(given.paths.begin(), given.paths.end(), file.path) != given.paths.end();
    const Outcome outcome = format_file(console, file.path, given.is_check, is_named);
    count += outcome == Outcome::kNotOurs ? 0 : 1;
    changed += outcome == Outcome::kChanged ? 1 : 0;
    refused += outcome == Outcome::kRefused ? 1 : 0;
  }
  console.say(files(count) + ", " + std::to_string(changed) +
              (given.is_check ? " not tidy" : " tidied") +
              (refused > 0 ? ", " + std::to_string(refused) + " refused" : ""));
  const bool is_well = refused == 0 && (!given.is_check || changed == 0);
  return is_well ? Exit::kOk : Exit::kFailed;
}

}  // namespace

Command fmt_command() {
  auto given = std::make_shared<Arguments>();
  return {
      "fmt",
      "Tidy workflow files: indentation, quotes, blank lines; comments stay",
      {{"PATH", &given->paths, "files or folders; the current one if none; - is a pipe"},
       {"--check", &given->is_check, "write nothing; exit 1 when a file is not tidy"}},
      [given](Console& console) { return format(console, *given); },
      "What a file means never changes, nor do the order of its fields and its comments.\n"
      "Prints the files that it changed (with --check: that it would change).  In a folder only\n"
      "workflows are touched (YAML or JSON with StartAt and States); a named file always is."};
}

}  // namespace stepwell::cli
