#include <memory>

#include "cli/backfill.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/target.h"
#include "cli/watch.h"

namespace stepwell::cli {

Command backfill_retry_command() {
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
    ExecutionView view;
    const auto ranges = failed_ranges(console, executions, given->id, view, exit);
    if (!ranges) return exit;
    if (ranges->empty()) {
      console.say("no range failed: there is nothing to run again");
      return Exit::kOk;
    }
    auto input = parse_json(view.input);
    if (!input.ok() || !input->is_object()) {
      return console.fail(Exit::kInternal, "the input of " + given->id + " is not an object");
    }
    Object again = std::move(*input).take_object();
    again.set(kRanges, Value(*ranges));
    StartOptions options;
    options.redrive_of = given->id;
    // Asked twice for the same failures, it starts once.
    options.name = "retry-of-" + given->id;
    const auto started =
        executions.start(view.workflow, Value(std::move(again)).to_json(), options);
    if (!started) return console.fail(started.code, started.error);
    console.say("running " + std::to_string(ranges->size()) +
                (ranges->size() == 1 ? " range again" : " ranges again"));
    if (given->is_watched)
      return watch(console, executions, started.value.id, given->output == "json");
    const std::string& id = started.value.id;
    const bool is_json = given->output == "json";
    console.print(is_json ? Value(Object{{"id", id}, {"existed", started.value.existed}}).to_json()
                          : id);
    return Exit::kOk;
  };
  return {"backfill retry", "Run again only the ranges of a backfill that failed",
          with_where({{"EXECUTION", &given->id, "the backfill whose ranges failed", true},
                      {"-w,--watch", &given->is_watched, "follow it to its end"},
                      output_option(given->output)},
                     given->where),
          run};
}

}  // namespace stepwell::cli
