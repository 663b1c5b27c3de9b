#include <memory>

#include "base/value.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/target.h"
#include "cli/watch.h"
#include "cli/workflow_files.h"

namespace stepwell::cli {
namespace {

// How one gets to a workflow that is there.
std::string hint_for(const std::string& name, const std::string& folder) {
  if (folder.empty()) {
    return "`stepwell serve --workflows FOLDER` deploys a folder: greet.yaml becomes greet";
  }
  std::vector<std::string> names;
  std::string list;
  const auto files = find_workflows({folder});
  for (const WorkflowFile& file : files.ok() ? *files : std::vector<WorkflowFile>()) {
    names.push_back(file.name);
    list += (list.empty() ? "" : ", ") + file.name;
  }
  if (const std::string near = dsl::nearest(name, names); !near.empty() && near != name) {
    return "did you mean \"" + near + "\"?";
  }
  return list.empty() ? "`stepwell dev` deploys what is put into " + folder
                      : "in " + folder + " there are " + list;
}

}  // namespace

Command exec_start_command() {
  struct Arguments {
    std::string workflow, input = "{}", name, output = "table";
    Where where;
    std::vector<std::string> tags;
    bool is_watched = false;
  };
  auto given = std::make_shared<Arguments>();
  const auto run = [given](Console& console) {
    Exit exit = Exit::kOk;
    const auto input = read_input(console, given->input, "--input", exit);
    if (!input) return exit;
    const auto found = find_executions(console, given->where, exit);
    if (!found) return exit;
    Executions& executions = *found->executions;
    StartOptions options;
    options.name = given->name;
    options.tags = given->tags;
    const auto started = executions.start(given->workflow, input->to_json(), options);
    if (started.code == Code::kNotFound) {
      return console.fail(Exit::kNotFound, started.error,
                          hint_for(given->workflow, found->workflows));
    }
    if (!started) return console.fail(started.code, started.error);
    const std::string& id = started.value.id;
    if (given->is_watched) {
      console.say((started.value.existed ? "was started before: " : "started ") + id);
      return watch(console, executions, id, given->output == "json");
    }
    if (given->output == "json") {
      console.print(Value(Object{{"id", id}, {"existed", started.value.existed}}).to_json());
    } else {
      console.print(id);
      console.say("`stepwell exec watch " + id + "` follows it");
    }
    return Exit::kOk;
  };
  return {"exec start", "Start an execution of a workflow",
          with_where({{"WORKFLOW", &given->workflow, "name of a deployed workflow", true},
                      {"-i,--input", &given->input, "JSON or YAML, @FILE, or - for standard input"},
                      {"-n,--name", &given->name,
                       "your name for it: the same name and input again starts nothing twice"},
                      {"-t,--tag", &given->tags, "tag to find it by (may be repeated)"},
                      {"-w,--watch", &given->is_watched, "follow it to its end"},
                      output_option(given->output)},
                     given->where),
          run};
}

}  // namespace stepwell::cli
