#include <algorithm>
#include <memory>

#include "base/value.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/target.h"
#include "cli/watch.h"

namespace stepwell::cli {
namespace {

std::string text_at(const Value& event, const char* name) {
  const Value* value = event.find(name);
  if (value == nullptr) return "";
  return value->is_string() ? value->as_string() : value->to_json();
}

bool is_failure(const std::string& type) {
  return type.ends_with("Failed") || type.ends_with("TimedOut");
}

// What tells this event from others of its type: the state, the resource, the error.
std::string gist_of(const Value& event) {
  for (const auto& [name, details] : event.as_object()) {
    if (!details.is_object()) continue;
    if (details.find("length") != nullptr) return text_at(details, "length") + " items";
    for (const char* key : {"name", "error", "resource", "output"}) {
      if (details.find(key) == nullptr) continue;
      const std::string index = text_at(details, "index");  // Of an iteration.
      return text_at(details, key) + (index.empty() ? "" : " #" + index);
    }
  }
  return "";
}

void show(Console& console, const std::string& text, const HistoryPlace& place) {
  const auto event = parse_json(text);
  if (!event.ok() || !event->is_object()) return console.print(text);
  std::string id = text_at(*event, "id");
  id.insert(0, id.size() < 6 ? 6 - id.size() : 0, ' ');
  std::string line = id + "  " + text_at(*event, "timestamp") + "  " + text_at(*event, "type");
  if (const std::string gist = gist_of(*event); !gist.empty()) line += "  " + gist;
  if (!place.where.empty() && is_failure(text_at(*event, "type"))) {
    line += "  at " + text_of(place);
  }
  console.print(console.is_terminal() ? cut_to(line, console.width()) : line);
}

}  // namespace

Command exec_history_command() {
  struct Arguments {
    std::string id, output = "table";
    Where where;
    int limit = 0;
    bool is_reverse = false;
  };
  auto given = std::make_shared<Arguments>();
  const auto run = [given](Console& console) {
    Exit exit = Exit::kOk;
    const auto found = find_executions(console, given->where, exit);
    if (!found) return exit;
    Executions& executions = *found->executions;
    HistoryOptions options;
    options.newest_first = given->is_reverse;
    int left = given->limit > 0 ? given->limit : -1;
    do {
      if (left > 0) options.limit = static_cast<unsigned>(std::min(left, 1000));
      const auto page = executions.history(given->id, options);
      if (!page) return console.fail(page.code, page.error);
      for (std::size_t i = 0; i < page.value.events.size(); ++i) {
        if (given->output == "json") {
          console.print(page.value.events[i]);
        } else {
          show(console, page.value.events[i], page.value.places[i]);
        }
      }
      if (left > 0) left -= static_cast<int>(page.value.events.size());
      options.next = page.value.next;
    } while (!options.next.empty() && left != 0);
    return Exit::kOk;
  };
  return {
      "exec history", "Show what happened in an execution, event by event",
      with_where({{"EXECUTION", &given->id, "its id", true},
                  number("--limit", given->limit, "at most so many events; 0: all", 0),
                  {"--reverse", &given->is_reverse, "newest first"},
                  output_option(given->output)},
                 given->where),
      run,
      "-o json prints one event per line, as GetExecutionHistory of Step Functions words them.\n"
      "Without it failures are shown with the file, line and column of what failed."};
}

}  // namespace stepwell::cli
