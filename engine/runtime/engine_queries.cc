// Engine: what is asked of executions, and what is sent to them.
#include <fmt/core.h>
#include <stepwell/engine.h>

#include <algorithm>
#include <thread>
#include <tuple>

#include "engine/runtime/engine_parts.h"

namespace stepwell {
namespace {

constexpr Millis kLongestWaitHere{1'000};  // Then the store is asked all the same.
constexpr Millis kFirstPoll{5}, kLongestPoll{250};

Result<ExecutionId> parse_id(const std::string& text) {
  const auto uuid = Uuid::parse(text);
  if (!uuid) return Error{ErrorCode::kInvalid, "\"" + text + "\" is no execution id"};
  return ExecutionId{*uuid};
}

ExecutionView view_of(const store::ExecutionRow& row) {
  ExecutionView view;
  view.id = row.id.text();
  view.workflow = row.workflow;
  view.name = row.name;
  view.status = to_string(row.status);
  view.input = row.input;
  view.output = row.output;
  view.error = row.error;
  view.cause = row.cause;
  view.started_at = to_rfc3339(row.started_at);
  if (row.ended_at) view.ended_at = to_rfc3339(*row.ended_at);
  view.redrive_count = row.redrive_count;
  view.waiting = row.waiting;
  view.quarantined = row.quarantined;
  return view;
}

std::optional<std::string> text_or_nothing(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

std::string unique_key(const char* what) {
  return fmt::format("{}:{}", what, std::chrono::system_clock::now().time_since_epoch().count());
}

Answer<Nothing> deliver(Engine::Parts& parts, const std::string& id, FactKind kind,
                        const FactBody& body, const char* key) {
  const auto execution = parse_id(id);
  if (!execution.ok()) return failed<Nothing>(execution.error());
  store::Delivery delivery;
  delivery.execution = *execution;
  delivery.kind = kind;
  delivery.dedupe_key = unique_key(key);
  delivery.payload = encode_payload(body);
  if (const Status status = parts.store->deliver(parts.ns, delivery); !status.ok()) {
    return failed<Nothing>(status.error());
  }
  if (parts.is_running) parts.runtime->wake();
  return {};
}

}  // namespace

Answer<Nothing> Engine::ready() const {
  if (!parts_->is_running) return {{}, Code::kUnavailable, "the engine does not run"};
  const std::string trouble = parts_->runtime->trouble();
  if (!trouble.empty()) return {{}, Code::kUnavailable, trouble};
  return {};
}

Answer<ExecutionView> Engine::describe(const std::string& id) {
  const auto execution = parse_id(id);
  if (!execution.ok()) return failed<ExecutionView>(execution.error());
  const auto row = parts_->store->describe(parts_->ns, *execution);
  if (!row.ok()) return failed<ExecutionView>(row.error());
  return {view_of(*row), Code::kOk, {}};
}

Answer<ExecutionView> Engine::wait(const std::string& id, std::chrono::milliseconds at_most) {
  using Steady = std::chrono::steady_clock;
  const auto execution = parse_id(id);
  if (!execution.ok()) return failed<ExecutionView>(execution.error());
  const auto deadline = Steady::now() + at_most;
  Millis poll = kFirstPoll;
  while (true) {
    const auto left = std::chrono::duration_cast<Millis>(deadline - Steady::now());
    // Held by a lane of ours: it tells.
    const bool was_here =
        parts_->is_running && left.count() > 0 &&
        parts_->runtime->ends().wait(*execution, std::min(left, kLongestWaitHere));
    const auto row = parts_->store->describe(parts_->ns, *execution);
    if (!row.ok()) return failed<ExecutionView>(row.error());
    if (row->status != ExecutionStatus::kRunning || !row->quarantined.empty()) {
      return {view_of(*row), Code::kOk, {}};
    }
    const auto rest = std::chrono::duration_cast<Millis>(deadline - Steady::now());
    if (rest.count() <= 0) {
      return {view_of(*row), Code::kTimeout, "execution " + id + " is still running"};
    }
    if (was_here || (parts_->is_running && parts_->runtime->ends().is_held(*execution))) continue;
    std::this_thread::sleep_for(std::min(poll, rest));
    poll = std::min(poll * 2, kLongestPoll);
  }
}

Answer<std::vector<ExecutionView>> Engine::list(const std::string& workflow,
                                                const std::string& status, unsigned limit,
                                                const std::string& before) {
  using Views = std::vector<ExecutionView>;
  store::ListFilter filter;
  filter.workflow = workflow;
  filter.limit = limit;
  if (!status.empty()) {
    filter.status = parse_status(status);
    if (!filter.status) {
      return {{},
              Code::kInvalid,
              "\"" + status + "\" is no status: RUNNING, SUCCEEDED, FAILED, TIMED_OUT or ABORTED"};
    }
  }
  if (!before.empty()) {
    const auto id = parse_id(before);
    if (!id.ok()) return failed<Views>(id.error());
    filter.before = *id;
  }
  const auto rows = parts_->store->list(parts_->ns, filter);
  if (!rows.ok()) return failed<Views>(rows.error());
  Views views;
  for (const store::ExecutionRow& row : *rows) views.push_back(view_of(row));
  return {std::move(views), Code::kOk, {}};
}

Answer<HistoryPage> Engine::history(const std::string& id, const HistoryOptions& options) {
  const auto execution = parse_id(id);
  if (!execution.ok()) return failed<HistoryPage>(execution.error());
  const auto page = parts_->history.read(
      parts_->ns, *execution, {options.next, std::max(1u, options.limit), options.newest_first});
  if (!page.ok()) return failed<HistoryPage>(page.error());
  HistoryPage answer;
  answer.next = page->next;
  answer.places = page->places;
  for (const HistoryEvent& event : page->events) {
    answer.events.push_back(to_aws_json(event).to_json());
  }
  return {std::move(answer), Code::kOk, {}};
}

Answer<Nothing> Engine::stop_execution(const std::string& id, const std::string& error,
                                       const std::string& cause) {
  // Accepted, they would be refused by the database when the execution ends: a stop that never
  // comes through.  The lengths are StopExecution's.
  for (const auto& [what, text, most] :
       {std::tuple("error", std::string_view(error), 256u), {"cause", cause, 32'768u}}) {
    const bool is_text = is_utf8(text) && text.find('\0') == std::string_view::npos;
    if (is_text && text.size() <= most) continue;
    const std::string why =
        is_text ? "longer than " + std::to_string(most) + " bytes" : "not UTF-8 text without NUL";
    return {{}, Code::kInvalid, std::string("the ") + what + " of a stop is " + why};
  }
  return deliver(*parts_, id, FactKind::kStopped,
                 Stopped{text_or_nothing(error), text_or_nothing(cause)}, "stop");
}

Answer<Nothing> Engine::redrive(const std::string& id) {
  return deliver(*parts_, id, FactKind::kRedriven, Redriven{}, "redrive");
}

}  // namespace stepwell
