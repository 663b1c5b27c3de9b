#include <memory>

#include "cli/backfill.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/target.h"

namespace stepwell::cli {
namespace {

std::string cell(const Value& range, const std::string& column) {
  const Value* value = range.find(column);
  if (value == nullptr || value->is_null()) return "";
  return value->is_string() ? value->as_string() : value->to_json();
}

// The columns are what the ranges have: the members of the first.
void show(Console& console, const Value::Array& ranges) {
  std::vector<std::string> columns;
  for (const auto& [name, value] : ranges.front().as_object()) columns.push_back(name);
  std::vector<std::vector<std::string>> rows;
  for (const Value& range : ranges) {
    std::vector<std::string> row;
    for (const std::string& column : columns) row.push_back(cell(range, column));
    rows.push_back(std::move(row));
  }
  console.table(columns, rows);
}

}  // namespace

Command backfill_failed_command() {
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
    ExecutionView view;
    const auto ranges = failed_ranges(console, executions, given->id, view, exit);
    if (!ranges) return exit;
    if (given->output == "json") {
      console.print(Value(*ranges).to_json());
    } else if (ranges->empty()) {
      console.say("no range failed");
    } else {
      if (ranges->front().is_object()) show(console, *ranges);
      console.say("`stepwell backfill retry " + given->id + "` runs only these again");
    }
    return Exit::kOk;
  };
  return {"backfill failed", "List the ranges of a backfill that failed",
          with_where({{"EXECUTION", &given->id, "its id", true}, output_option(given->output)},
                     given->where),
          run};
}

}  // namespace stepwell::cli
