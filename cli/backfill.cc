#include "cli/backfill.h"

namespace stepwell::cli {

std::optional<Value::Array> failed_ranges(Console& console, Executions& executions,
                                          const std::string& id, ExecutionView& view, Exit& exit) {
  auto found = executions.describe(id);
  if (!found) {
    exit = console.fail(found.code, found.error);
    return std::nullopt;
  }
  view = std::move(found.value);
  if (view.status == "RUNNING") {
    exit = console.fail(Exit::kStillRunning, "the backfill still runs",
                        "`stepwell exec watch " + id + "` follows it");
    return std::nullopt;
  }
  if (view.status != "SUCCEEDED") {
    exit = console.fail(Exit::kFailed, "the backfill ended " + view.status + " as a whole",
                        "`stepwell exec redrive " + id + "` goes on where it failed");
    return std::nullopt;
  }
  const auto output = parse_json(view.output);
  const Value* ranges = output.ok() ? output->find(kFailedRanges) : nullptr;
  if (ranges == nullptr || !ranges->is_array()) {
    exit = console.fail(Exit::kUsage, "execution " + id + " of " + view.workflow +
                                          " is not a backfill: its output has no " + kFailedRanges);
    return std::nullopt;
  }
  return ranges->as_array();
}

}  // namespace stepwell::cli
