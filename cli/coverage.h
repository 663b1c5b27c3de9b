// Coverage — what the tests of a run went through, workflow by workflow.
// Thread-safety: the main thread only.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "authoring/transcript/coverage.h"
#include "base/value.h"
#include "cli/console.h"

namespace stepwell::cli {

class Coverage {
 public:
  // Of one test file.  `workflow`: the file it names, or the test file itself when it holds the
  // workflow.
  void add(const std::string& workflow, const std::vector<transcript::Part>& parts);
  // One object per workflow.
  void print_json(Console& console) const;
  // Of all parts of all workflows; 100 when there are none.
  double percent() const;
  // Per workflow a line of figures, then file:line of what no test reached.
  void print(Console& console) const;

 private:
  std::map<std::string, std::vector<transcript::Part>> workflows_;
};

}  // namespace stepwell::cli
