// graph — a workflow as a picture: which state leads to which, and how far one execution came.
//
//   definition ── read_chart ──> Chart ──┬── to_mermaid ──> stateDiagram-v2
//   history ──── read_progress ─> Progress ┴─ to_svg ─────> an SVG with a layout of its own
//
// Pure: the same definition and history give the same bytes.  Thread-safe: no state.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/value.h"

namespace stepwell::graph {

enum class NodeKind : std::uint8_t {
  kStart,  // The dot above the first state.
  kEnd,    // The ring below the last.
  kTask,
  kPass,
  kChoice,
  kWait,
  kSucceed,
  kFail,
  kParallel,
  kMap,
};

enum class EdgeKind : std::uint8_t { kNext, kRule, kDefault, kCatch };

struct Chart;

struct Node {
  NodeKind kind = NodeKind::kPass;
  std::string name;    // Empty for start and end.
  std::string detail;  // "strava.fetch", "30 s", "each of $.chunks, 6 at a time"
  std::string about;   // The Comment, shown when the pointer is on the node.
  // One per retrier: "Provider.Transient: 3 times after 1 s, then twice as long each time".
  std::vector<std::string> retriers;
  std::string retry_label;    // "retry ×3"; empty without retriers.
  std::vector<Chart> charts;  // The branches of a Parallel, the processor of a Map.
};

// Several transitions from one state to the same other state are one edge with several labels.
struct Edge {
  std::size_t from = 0, to = 0;  // Into Chart::nodes.
  EdgeKind kind = EdgeKind::kNext;
  std::vector<std::string> labels;
};

struct Chart {
  std::vector<Node> nodes;
  std::vector<Edge> edges;
  std::size_t first = 0;  // The node where it begins.
};

// `definition` is of a workflow that compiles; anything else in it is left out of the chart.
Chart read_chart(const Value& definition);

// ---- What one execution did ------------------------------------------------------------------

enum class Outcome : std::uint8_t {
  kNeverReached,
  kSucceeded,
  kCaught,
  kStopped,
  kFailed,
  kRunning
};

// "never reached", "succeeded", ...
const char* to_string(Outcome outcome);

// How often a state was visited (in iterations of a Map, rounds of a loop), and how that ended.
struct Visits {
  std::uint32_t succeeded = 0, caught = 0, stopped = 0, failed = 0, running = 0, retries = 0;

  std::uint32_t total() const { return succeeded + caught + stopped + failed + running; }
  // The outcome to show: the first of running, failed, stopped, caught, succeeded that there is.
  Outcome outcome() const;
};

// What an execution did.  Keys are names of states, which are unique in a workflow.
struct Progress {
  std::map<std::string, Visits> states;
  struct Way {
    std::string from, to;  // Empty: where a machine begins or ends.
    bool by_catch = false;
    friend auto operator<=>(const Way&, const Way&) = default;
  };
  std::map<Way, std::uint32_t> ways;

  Visits of(const std::string& state) const;
  bool took(const Chart& chart, const Edge& edge) const;
};

// `events` as GetExecutionHistory words them, in any order.
Result<Progress> read_progress(const Value::Array& events);
// The events in a file: one per line, an array, or an answer of GetExecutionHistory.
Result<Value::Array> read_events(std::string_view text);

// ---- Pictures --------------------------------------------------------------------------------

// `progress` may be nullptr: then nothing is coloured.
std::string to_mermaid(const Chart& chart, const Progress* progress);
// kTooLarge when there are more boxes and lines than a person could look at.
Result<std::string> to_svg(const Chart& chart, const Progress* progress, const std::string& title);

}  // namespace stepwell::graph
