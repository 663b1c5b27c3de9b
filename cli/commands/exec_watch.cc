#include <memory>

#include "cli/commands.h"
#include "cli/input.h"
#include "cli/target.h"
#include "cli/watch.h"

namespace stepwell::cli {

Command exec_watch_command() {
  struct Arguments {
    std::string id, output = "table", database;
  };
  auto given = std::make_shared<Arguments>();
  const auto run = [given](Console& console) {
    Exit exit = Exit::kOk;
    const auto engine = open_target(console, given->database, exit);
    if (!engine) return exit;
    return watch(console, *engine, given->id, given->output == "json");
  };
  return {"exec watch",
          "Follow an execution to its end, with its progress",
          {{"EXECUTION", &given->id, "its id", true},
           output_option(given->output),
           database_option(given->database)},
          run,
          "Ctrl-C stops the watching, not the execution."};
}

}  // namespace stepwell::cli
