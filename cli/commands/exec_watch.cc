#include <memory>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/target.h"
#include "cli/watch.h"

namespace stepwell::cli {

Command exec_watch_command() {
  struct Arguments {
    std::string id, output = "table";
    Where where;
  };
  auto given = std::make_shared<Arguments>();
  const auto run = [given](Console& console) {
    Exit exit = Exit::kOk;
    const auto found = find_executions(console, given->where, exit);
    if (!found) return exit;
    Executions& executions = *found->executions;
    return watch(console, executions, given->id, given->output == "json");
  };
  return {"exec watch", "Follow an execution to its end, with its progress",
          with_where({{"EXECUTION", &given->id, "its id", true}, output_option(given->output)},
                     given->where),
          run, "Ctrl-C stops the watching, not the execution."};
}

}  // namespace stepwell::cli
