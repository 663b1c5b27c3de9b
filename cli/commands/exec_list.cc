#include <memory>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/target.h"
#include "server/native/routes.h"

namespace stepwell::cli {

Command exec_list_command() {
  struct Arguments {
    std::string workflow, status, before, output = "table";
    Where where;
    int limit = 50;
  };
  auto given = std::make_shared<Arguments>();
  const auto run = [given](Console& console) {
    if (given->limit < 1 || given->limit > 1000) {
      return console.fail(Exit::kUsage, "--limit is not from 1 to 1000",
                          "--before ID shows the next page");
    }
    Exit exit = Exit::kOk;
    const auto found = find_executions(console, given->where, exit);
    if (!found) return exit;
    Executions& executions = *found->executions;
    const auto listed = executions.list(
        {given->workflow, given->status, static_cast<unsigned>(given->limit), given->before});
    if (!listed) return console.fail(listed.code, listed.error);
    if (given->output == "json") {
      for (const auto& view : listed.value) console.print(server::execution_json(view));
      return Exit::kOk;
    }
    if (listed.value.empty()) {
      console.say("no executions; `stepwell exec start WORKFLOW` starts one");
      return Exit::kOk;
    }
    std::vector<std::vector<std::string>> rows;
    for (const auto& view : listed.value) {
      // To the second: with an id it fits into 80 columns.
      const std::string started =
          view.started_at.substr(0, 10) + " " + view.started_at.substr(11, 8);
      rows.push_back({view.id, console.status_color(view.status), view.workflow, started,
                      view.quarantined.empty() ? view.error.value_or("") : "quarantined"});
    }
    console.table({"ID", "STATUS", "WORKFLOW", "STARTED (UTC)", "ERROR"}, rows);
    if (static_cast<int>(rows.size()) == given->limit) {
      console.say("more with --before " + listed.value.back().id);
    }
    return Exit::kOk;
  };
  return {"exec list", "List executions, newest first",
          with_where({{"--workflow", &given->workflow, "only of this workflow"},
                      {"--status",
                       &given->status,
                       "only with this status",
                       false,
                       {"RUNNING", "SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"}},
                      number("--limit", given->limit, "at most so many", 1),
                      {"--before", &given->before, "only older than this execution"},
                      output_option(given->output)},
                     given->where),
          run, "-o json prints one object per line."};
}

}  // namespace stepwell::cli
