#include <memory>

#include "base/value.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/target.h"
#include "cli/watch.h"

namespace stepwell::cli {

Command exec_redrive_command() {
  struct Arguments {
    std::string id, output = "table";
    Where where;
    bool is_watched = false;
  };
  auto given = std::make_shared<Arguments>();
  const auto run = [given](Console& console) {
    Exit exit = Exit::kOk;
    const auto found = find_executions(console, given->where, exit);
    if (!found) return exit;
    Executions& executions = *found->executions;
    const auto redriven = executions.redrive(given->id);
    if (redriven.code == Code::kConflict) {
      return console.fail(Exit::kConflict, redriven.error,
                          "only what is FAILED, TIMED_OUT or ABORTED can be redriven");
    }
    if (!redriven) return console.fail(redriven.code, redriven.error);
    if (given->is_watched) return watch(console, executions, given->id, given->output == "json");
    if (given->output == "json") console.print(Value(Object{{"id", given->id}}).to_json());
    console.say("running again from where it failed");
    return Exit::kOk;
  };
  return {"exec redrive", "Run again what failed in an execution; what succeeded keeps its result",
          with_where({{"EXECUTION", &given->id, "its id", true},
                      {"-w,--watch", &given->is_watched, "follow it to its end"},
                      output_option(given->output)},
                     given->where),
          run};
}

}  // namespace stepwell::cli
