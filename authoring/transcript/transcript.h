// Transcripts — a run of a workflow in virtual time with mocked tasks, written line by line.
//
//   workflow: charge.yaml
//   input: { amount: 7 }
//   tasks:
//     bank.charge: [ fail Bank.Busy, { receipt: r-1 } ]
//   transcript: |
//     0s  started
//     0s  Charge     entered  bank.charge {"amount":7}
//     0s  Charge     failed   Bank.Busy, retry 1 in 1s
//     1s  Charge     exited   {"receipt":"r-1"}
//     1s  succeeded           {"receipt":"r-1"}
//
// docs/transcripts.md has the whole format.  Nothing here reads a clock or a file: the caller gives
// a function that reads the workflow.  Thread-safe: no state.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "authoring/transcript/coverage.h"
#include "base/result.h"
#include "dsl/dsl.h"

namespace stepwell::transcript {

// The text of the file that `workflow:` names, as it is written there.
using ReadFile = std::function<Result<std::string>(const std::string& path)>;

struct Options {
  std::vector<std::string> known_resources;  // See dsl::CompileOptions.
  // After every fact: does the execution survive encode and decode, does a fold of the facts so
  // far equal it, and is a fact that comes twice ignored?
  bool check_fold = false;
};

struct CaseReport {
  std::string name;
  bool passed = false;
  bool is_stale = false;  // The transcript differs or is missing; --update writes it.
  bool is_wrong = false;  // Something fails that --update cannot fix.
  // "FAILED with Bank.Busy": how it ended, if not well and the file has no status: for that.  Where
  // --update writes such an end it must be told.
  std::string bad_end;
  std::string transcript;  // What happened, aligned.
  std::string problem;     // Why it did not pass: sentences, and a diff by lines.
};

struct Report {
  std::vector<dsl::Diagnostic> diagnostics;  // Of the test file and its workflow.
  std::string diagnosis;                     // The same for a terminal, with source lines.
  std::vector<CaseReport> cases;             // None when a diagnostic is an error.
  std::string updated;                       // The file with stale transcripts as they are now.
  std::string workflow;     // The file that `workflow:` names; empty when it is inline.
  std::vector<Part> parts;  // Of the workflow, and which of them were reached.

  bool passed() const;
};

// `text` is the content of NAME.test.yaml, `file` its name for messages.
Report run_tests(std::string_view text, const std::string& file, const ReadFile& read_workflow,
                 const Options& options = {});

}  // namespace stepwell::transcript
