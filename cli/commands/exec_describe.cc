#include <memory>

#include "base/value.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/target.h"
#include "cli/watch.h"
#include "server/native/routes.h"

namespace stepwell::cli {
namespace {

// JSON for people, below its title.
void show_json(Console& console, const char* title, const std::string& json) {
  if (json.empty()) return;
  const auto value = parse_json(json);
  console.print(std::string(title) + (value.ok() ? value->to_pretty_json() : json));
}

void show(Console& console, const ExecutionView& view, const std::string& place) {
  console.print("id        " + view.id);
  console.print("workflow  " + view.workflow);
  console.print("name      " + view.name);
  console.print("status    " + console.status_color(view.status) +
                summary_of(view).substr(view.status.size()));
  console.print("started   " + view.started_at);
  if (!place.empty()) console.print("failed at " + place);
  if (!view.ended_at.empty()) console.print("ended     " + view.ended_at);
  if (view.redrive_count > 0) console.print("redrives  " + std::to_string(view.redrive_count));
  if (!view.quarantined.empty()) console.print("quarantined: " + view.quarantined);
  show_json(console, "waiting   ", view.waiting);
  show_json(console, "input     ", view.input);
  show_json(console, "output    ", view.output);
}

}  // namespace

Command exec_describe_command() {
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
    const auto shown = executions.describe(given->id);
    if (!shown) return console.fail(shown.code, shown.error);
    if (given->output == "json") {
      console.print(server::execution_json(shown.value));
    } else {
      show(console, shown.value, failed_at(executions, shown.value));
    }
    return Exit::kOk;
  };
  return {"exec describe", "Show one execution",
          with_where({{"EXECUTION", &given->id, "its id", true}, output_option(given->output)},
                     given->where),
          run};
}

}  // namespace stepwell::cli
