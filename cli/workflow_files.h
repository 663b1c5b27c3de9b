// Workflow files — which files below the paths that somebody named are workflows, and what is wrong
// with them.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command.h"
#include "dsl/dsl.h"

namespace stepwell::cli {

struct WorkflowFile {
  std::string path;
  std::string name;  // backfill.yaml -> backfill
};

// Every .yaml, .yml and .json below the paths, transcripts (*.test.yaml) left out, sorted.  A path
// that names a file is taken as it is.  An error for a path that does not exist.
Result<std::vector<WorkflowFile>> find_workflows(const std::vector<std::string>& paths);
// The transcripts (*.test.yaml) below the paths.
Result<std::vector<std::string>> find_transcripts(const std::vector<std::string>& paths);

// Diagnostics with their lines, to the person: what a command writes as its result may go to a
// file.  Answers how many of them are errors.
std::size_t show_diagnostics(Console& console, const std::vector<dsl::Diagnostic>& diagnostics,
                             const std::string& source);
// The same where they are the result.
std::size_t print_diagnostics(Console& console, const std::vector<dsl::Diagnostic>& diagnostics,
                              const std::string& source);

}  // namespace stepwell::cli
