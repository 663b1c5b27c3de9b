#include <memory>

#include "base/value.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/target.h"

namespace stepwell::cli {

Command exec_stop_command() {
  struct Arguments {
    std::string id, error, cause, output = "table";
    Where where;
  };
  auto given = std::make_shared<Arguments>();
  const auto run = [given](Console& console) {
    Exit exit = Exit::kOk;
    const auto found = find_executions(console, given->where, exit);
    if (!found) return exit;
    Executions& executions = *found->executions;
    const auto stopped = executions.stop(given->id, given->error, given->cause);
    if (stopped.code == Code::kConflict) {
      return console.fail(Exit::kConflict, stopped.error, "only what is RUNNING can be stopped");
    }
    if (!stopped) return console.fail(stopped.code, stopped.error);
    if (given->output == "json") console.print(Value(Object{{"id", given->id}}).to_json());
    console.say("stopping; `stepwell exec redrive " + given->id + "` would go on where it was");
    return Exit::kOk;
  };
  return {"exec stop", "Stop an execution: it ends ABORTED",
          with_where({{"EXECUTION", &given->id, "its id", true},
                      {"--error", &given->error, "why, as a word for programs"},
                      {"--cause", &given->cause, "why, as a sentence for people"},
                      output_option(given->output)},
                     given->where),
          run};
}

}  // namespace stepwell::cli
