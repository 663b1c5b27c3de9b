#include "cli/watch.h"

#include <chrono>
#include <optional>
#include <thread>
#include <utility>

#include "base/value.h"
#include "cli/interrupt.h"
#include "cli/progress.h"
#include "server/native/routes.h"

namespace stepwell::cli {
namespace {

constexpr std::chrono::milliseconds kLiveRound{150};  // Fluent to the eye.
constexpr std::chrono::milliseconds kPlainRound{1000};
// A server that was there is waited for: it may be starting again.
constexpr std::chrono::seconds kServerAway{60};
constexpr unsigned kPlainStep = 10;  // Per cent between two lines of a log.

Time wall_clock() { return std::chrono::time_point_cast<Millis>(std::chrono::system_clock::now()); }

std::string duration_of(const ExecutionView& view) {
  const auto from = parse_rfc3339(view.started_at);
  const auto to = parse_rfc3339(view.ended_at);
  return from && to ? to_human(*to - *from) : "an unknown time";
}

// Reads the history as it grows.  The last page is not full and is read again.
class HistoryReader {
 public:
  HistoryReader(Executions& executions, std::string id)
      : executions_(executions), id_(std::move(id)) {}

  void read_into(Progress& progress) {
    while (true) {
      HistoryOptions options;
      options.next = next_;
      const auto page = executions_.history(id_, options);
      if (!page) return;  // Shown another time; the execution's own status decides.
      for (const std::string& text : page.value.events) {
        const auto event = parse_json(text);
        if (event.ok() && event->is_object()) progress.feed(*event);
      }
      if (page.value.next.empty()) return;
      next_ = page.value.next;
    }
  }

 private:
  Executions& executions_;
  std::string id_;
  std::string next_;
};

class Display {
 public:
  explicit Display(Console& console) : console_(console) {}

  void show(const Progress& progress) {
    if (console_.is_terminal()) {
      console_.live(progress.line(console_.width() - 1, wall_clock()));
      return;
    }
    const std::string where = progress.map() ? progress.map()->name : progress.state();
    const unsigned step = progress.percent().value_or(0) / kPlainStep;
    if (where == where_ && step == step_) return;
    where_ = where;
    step_ = step;
    console_.say(progress.plain());
  }

  // Once for each reason: it may rest for long.
  void show_standstill(const std::string& waiting) {
    const auto known = parse_json(waiting);
    const std::string text = known.ok() ? standstill(*known, wall_clock()) : "";
    if (text.empty() || text == standstill_) return;
    standstill_ = text;
    console_.say(text);
  }

 private:
  Console& console_;
  std::string where_, standstill_;
  unsigned step_ = 0;
};

}  // namespace

std::string summary_of(const ExecutionView& view) {
  if (view.status == "RUNNING") return "RUNNING";
  std::string text = view.status + " after " + duration_of(view);
  if (view.error && !view.error->empty()) text += ": " + *view.error;
  if (view.cause && !view.cause->empty()) text += ": " + *view.cause;
  return text;
}

std::string failed_at(Executions& executions, const ExecutionView& view) {
  if (view.status != "FAILED") return {};
  HistoryOptions newest;
  newest.newest_first = true;
  newest.limit = 1;
  const auto page = executions.history(view.id, newest);
  return page && !page.value.places.empty() ? text_of(page.value.places.front()) : std::string();
}

std::string text_of(const HistoryPlace& place) {
  return place.where + (place.value.empty() ? "" : ", over " + place.value);
}

Exit exit_of(const ExecutionView& view) {
  if (view.status == "RUNNING") return Exit::kStillRunning;
  return view.status == "SUCCEEDED" ? Exit::kOk : Exit::kFailed;
}

Exit watch(Console& console, Executions& executions, const std::string& id, bool as_json) {
  Interrupt::install();
  Progress progress;
  HistoryReader reader(executions, id);
  Display display(console);
  using Clock = std::chrono::steady_clock;
  std::optional<Clock::time_point> seen;  // The newest answer of the server.
  bool is_away = false;
  while (true) {
    const auto view = executions.wait(id, console.is_terminal() ? kLiveRound : kPlainRound);
    const bool is_waited_for = view.code == Code::kUnavailable && seen &&
                               Clock::now() - *seen < kServerAway && !Interrupt::is_asked();
    if (is_waited_for) {
      if (!std::exchange(is_away, true)) console.say("the server is away; waiting for it");
      std::this_thread::sleep_for(kPlainRound);
      continue;
    }
    if (!view && view.code != Code::kTimeout) return console.fail(view.code, view.error);
    seen = Clock::now();
    is_away = false;
    reader.read_into(progress);
    display.show(progress);
    if (view.value.status == "RUNNING") display.show_standstill(view.value.waiting);
    if (view && view.value.status != "RUNNING") {
      console.end_live();
      console.say(console.status_color(view.value.status) +
                  summary_of(view.value).substr(view.value.status.size()));
      if (const std::string place = failed_at(executions, view.value); !place.empty()) {
        console.say("failed at " + place);
      }
      if (as_json) {
        console.print(server::execution_json(view.value));
      } else if (!view.value.output.empty()) {
        const auto output = parse_json(view.value.output);
        console.print(output.ok() ? output->to_pretty_json() : view.value.output);
      }
      return exit_of(view.value);
    }
    if (view && !view.value.quarantined.empty()) {
      console.end_live();
      return console.fail(Exit::kFailed, "the execution is quarantined: " + view.value.quarantined,
                          "`stepwell exec redrive " + id + "` tries again, `exec stop` ends it");
    }
    if (Interrupt::is_asked()) {
      console.say("Not watching any more; the execution goes on.  `stepwell exec watch " + id +
                  "` shows it again, `stepwell exec stop " + id + "` ends it.");
      return Exit::kInterrupted;
    }
  }
}

}  // namespace stepwell::cli
