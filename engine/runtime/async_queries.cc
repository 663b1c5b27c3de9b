// AsyncEngine: what is asked of executions, and what is sent to them.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>
#include <tuple>

#include "engine/runtime/async_parts.h"

namespace stepwell::runtime {
namespace {

using Views = std::vector<ExecutionView>;

std::optional<std::string> text_or_nothing(const std::string& text) {
  if (text.empty()) return std::nullopt;
  return text;
}

std::string unique_key(const char* what) {
  return fmt::format("{}:{}", what, std::chrono::system_clock::now().time_since_epoch().count());
}

Result<store::ListFilter> filter_of(const ListRequest& request) {
  store::ListFilter filter;
  filter.workflow = request.workflow;
  filter.limit = request.limit;
  if (!request.status.empty()) {
    filter.status = parse_status(request.status);
    if (!filter.status) {
      return Error{ErrorCode::kInvalid, "\"" + request.status +
                                            "\" is not a status: RUNNING, SUCCEEDED, FAILED, "
                                            "TIMED_OUT or ABORTED"};
    }
  }
  if (!request.before.empty()) filter.before = TRY(parse_id(request.before));
  return filter;
}

HistoryPage page_of(const EventPage& page) {
  HistoryPage answer;
  answer.next = page.next;
  answer.places = page.places;
  for (const HistoryEvent& event : page.events) {
    answer.events.push_back(to_aws_json(event).to_json());
  }
  return answer;
}

// Accepted, they would be refused by the database when the execution ends: a stop that never comes
// through.  The lengths are StopExecution's.
Status check_reason(const std::string& error, const std::string& cause) {
  for (const auto& [what, text, most] :
       {std::tuple("error", std::string_view(error), 256u), {"cause", cause, 32'768u}}) {
    const bool is_text = is_utf8(text) && text.find('\0') == std::string_view::npos;
    if (is_text && text.size() <= most) continue;
    const std::string why =
        is_text ? "longer than " + std::to_string(most) + " bytes" : "not UTF-8 text without NUL";
    return Error{ErrorCode::kInvalid, std::string("the ") + what + " of a stop is " + why};
  }
  return ok_status();
}

}  // namespace

bool AsyncEngine::Parts::read_row(const Namespace& ns, ExecutionId id, Waits::OnRow told) {
  return api_threads.run([this, ns, id, told = std::move(told)](bool may_run) {
    const Error stopped{ErrorCode::kUnavailable, "the engine has stopped"};
    told(may_run ? store->describe(ns, id) : Result<store::ExecutionRow>(stopped));
  });
}

void AsyncEngine::Parts::deliver(const Namespace& ns, const std::string& id, FactKind kind,
                                 const FactBody& body, const char* key, OnAnswer<Nothing> told) {
  const auto execution = parse_id(id);
  if (!execution.ok()) return told(failed<Nothing>(execution.error()));
  store::Delivery delivery;
  delivery.execution = *execution;
  delivery.kind = kind;
  delivery.dedupe_key = unique_key(key);
  delivery.payload = encode_payload(body);
  ask<Nothing>(
      delivery_threads,
      [this, ns, delivery = std::move(delivery)]() -> Answer<Nothing> {
        if (const Status status = store->deliver(ns, delivery); !status.ok()) {
          return failed<Nothing>(status.error());
        }
        with_runtime([](Runtime& running) { running.wake(); });
        return {};
      },
      std::move(told));
}

void AsyncEngine::describe(const Namespace& ns, const std::string& id,
                           OnAnswer<ExecutionView> told) {
  const auto execution = parse_id(id);
  if (!execution.ok()) return told(failed<ExecutionView>(execution.error()));
  parts_->ask<ExecutionView>(
      parts_->api_threads,
      [parts = parts_.get(), ns, execution = *execution]() -> Answer<ExecutionView> {
        const auto row = parts->store->describe(ns, execution);
        if (!row.ok()) return failed<ExecutionView>(row.error());
        return {view_of(*row), Code::kOk, {}};
      },
      std::move(told));
}

void AsyncEngine::list(const Namespace& ns, const ListRequest& request, OnAnswer<Views> told) {
  const auto filter = filter_of(request);
  if (!filter.ok()) return told(failed<Views>(filter.error()));
  parts_->ask<Views>(
      parts_->api_threads,
      [parts = parts_.get(), ns, filter = *filter]() -> Answer<Views> {
        const auto rows = parts->store->list(ns, filter);
        if (!rows.ok()) return failed<Views>(rows.error());
        Views views;
        for (const store::ExecutionRow& row : *rows) views.push_back(view_of(row));
        return {std::move(views), Code::kOk, {}};
      },
      std::move(told));
}

void AsyncEngine::history(const Namespace& ns, const std::string& id, const HistoryOptions& options,
                          OnAnswer<HistoryPage> told) {
  const auto execution = parse_id(id);
  if (!execution.ok()) return told(failed<HistoryPage>(execution.error()));
  const PageRequest request{options.next, std::max(1u, options.limit), options.newest_first};
  parts_->ask<HistoryPage>(
      parts_->history_threads,
      [parts = parts_.get(), ns, execution = *execution, request]() -> Answer<HistoryPage> {
        const auto page = parts->history.read(ns, execution, request);
        if (!page.ok()) return failed<HistoryPage>(page.error());
        return {page_of(*page), Code::kOk, {}};
      },
      std::move(told));
}

void AsyncEngine::wait(const Namespace& ns, const std::string& id, Millis at_most,
                       OnAnswer<ExecutionView> told) {
  const auto execution = parse_id(id);
  if (!execution.ok()) return told(failed<ExecutionView>(execution.error()));
  parts_->waits.wait(ns, *execution, at_most, std::move(told));
}

void AsyncEngine::stop_execution(const Namespace& ns, const std::string& id,
                                 const std::string& error, const std::string& cause,
                                 OnAnswer<Nothing> told) {
  if (const Status status = check_reason(error, cause); !status.ok()) {
    return told(failed<Nothing>(status.error()));
  }
  parts_->deliver(ns, id, FactKind::kStopped,
                  Stopped{text_or_nothing(error), text_or_nothing(cause)}, "stop", std::move(told));
}

void AsyncEngine::redrive(const Namespace& ns, const std::string& id, OnAnswer<Nothing> told) {
  parts_->deliver(ns, id, FactKind::kRedriven, Redriven{}, "redrive", std::move(told));
}

}  // namespace stepwell::runtime
