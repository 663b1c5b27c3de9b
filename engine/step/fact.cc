// The payload of a journal row, per kind of fact.
#include "engine/step/fact.h"

#include <limits>

#include "base/match.h"

namespace stepwell {

namespace {

// Payloads were checked when they came in; what we wrote we read.
constexpr JsonLimits kOwnText{std::numeric_limits<std::size_t>::max(), 100'000, false};

void set_text(Object& object, std::string_view key, const std::optional<std::string>& text) {
  if (text) object.set(key, *text);
}

std::optional<std::string> text_at(const Value& json, std::string_view key) {
  const Value* value = json.find(key);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return value->as_string();
}

std::uint64_t number_at(const Value& json, std::string_view key, std::uint64_t otherwise) {
  const Value* value = json.find(key);
  if (value == nullptr || !value->is_int()) return otherwise;
  return static_cast<std::uint64_t>(value->as_int());
}

Value pins_json(const Pins& pins) {
  const Limits& limits = pins.limits;
  return Object{{"program", pins.program_hash},
                {"semantics", pins.semantics},
                {"seed", static_cast<std::int64_t>(pins.seed)},
                {"execution_arn", pins.execution_arn},
                {"execution_name", pins.execution_name},
                {"role_arn", pins.role_arn},
                {"machine_arn", pins.machine_arn},
                {"machine_name", pins.machine_name},
                {"limits", Object{{"payload_bytes", limits.max_payload_bytes},
                                  {"transitions", limits.max_transitions},
                                  {"slice", limits.slice_transitions},
                                  {"depth", limits.max_value_depth}}}};
}

Pins pins_of(const Value& json) {
  Pins pins;
  pins.program_hash = text_at(json, "program").value_or("");
  pins.semantics = static_cast<std::uint32_t>(number_at(json, "semantics", 1));
  pins.seed = number_at(json, "seed", 0);
  pins.execution_arn = text_at(json, "execution_arn").value_or("");
  pins.execution_name = text_at(json, "execution_name").value_or("");
  pins.role_arn = text_at(json, "role_arn").value_or("");
  pins.machine_arn = text_at(json, "machine_arn").value_or("");
  pins.machine_name = text_at(json, "machine_name").value_or("");
  if (const Value* limits = json.find("limits")) {
    Limits& to = pins.limits;
    to.max_payload_bytes = number_at(*limits, "payload_bytes", to.max_payload_bytes);
    to.max_transitions = number_at(*limits, "transitions", to.max_transitions);
    to.slice_transitions = number_at(*limits, "slice", to.slice_transitions);
    to.max_value_depth =
        static_cast<std::uint32_t>(number_at(*limits, "depth", to.max_value_depth));
  }
  return pins;
}

Result<FactBody> wrong(FactKind kind) {
  return Error{ErrorCode::kInvalid,
               std::string("the payload is not that of a fact ") + fact_name(kind)};
}

FactBody failed_of(const Value& json) {
  TaskFailed failed{text_at(json, "error"), text_at(json, "cause"), std::nullopt};
  if (const Value* after = json.find("retry_after_ms"); after != nullptr && after->is_int()) {
    failed.retry_after = Millis(after->as_int());
  }
  return failed;
}

}  // namespace

std::string encode_payload(const FactBody& body) {
  Object json;
  return std::visit(match{
                        [&](const Started& started) {
                          json.set("pins", pins_json(started.pins));
                          if (!started.input_text.empty())
                            json.set("input_text", started.input_text);
                          json.set("input", started.input);
                          return Value(std::move(json)).to_json();
                        },
                        // The output alone: the most frequent fact by far.
                        [](const TaskSucceeded& succeeded) { return succeeded.output.to_json(); },
                        [&](const TaskFailed& failed) {
                          set_text(json, "error", failed.error);
                          set_text(json, "cause", failed.cause);
                          if (failed.retry_after)
                            json.set("retry_after_ms", failed.retry_after->count());
                          return Value(std::move(json)).to_json();
                        },
                        [](const TaskTimedOut& timed_out) {
                          return std::string(timed_out.heartbeat ? R"({"heartbeat":true})" : "");
                        },
                        [&](const Stopped& stopped) {
                          set_text(json, "error", stopped.error);
                          set_text(json, "cause", stopped.cause);
                          return Value(std::move(json)).to_json();
                        },
                        [&](const Redriven& redriven) {
                          if (redriven.program_hash.empty()) return std::string();
                          json.set("program", redriven.program_hash);
                          return Value(std::move(json)).to_json();
                        },
                        [](const auto&) { return std::string(); },
                    },
                    body);
}

Result<FactBody> decode_payload(FactKind kind, std::string_view payload) {
  Value json;
  if (!payload.empty()) json = TRY(parse_json(payload, kOwnText));
  const bool object = json.is_object();
  switch (kind) {
    case FactKind::kStarted: {
      const Value* pins = json.find("pins");
      const Value* input = json.find("input");
      if (pins == nullptr || input == nullptr) return wrong(kind);
      return FactBody(Started{*input, pins_of(*pins), text_at(json, "input_text").value_or("")});
    }
    case FactKind::kTaskSucceeded:
      if (payload.empty()) return wrong(kind);
      return FactBody(TaskSucceeded{std::move(json)});
    case FactKind::kTaskFailed:
      if (!object) return wrong(kind);
      return failed_of(json);
    case FactKind::kTaskTimedOut: return FactBody(TaskTimedOut{json.find("heartbeat") != nullptr});
    case FactKind::kTimerFired: return FactBody(TimerFired{});
    case FactKind::kContinued: return FactBody(Continued{});
    case FactKind::kStopped:
      if (!object) return wrong(kind);
      return FactBody(Stopped{text_at(json, "error"), text_at(json, "cause")});
    case FactKind::kRedriven: return FactBody(Redriven{text_at(json, "program").value_or("")});
  }
  return Error{ErrorCode::kInvalid,
               "there is no kind of fact " + std::to_string(static_cast<int>(kind))};
}

const char* fact_name(FactKind kind) {
  switch (kind) {
    case FactKind::kStarted: return "started";
    case FactKind::kTaskSucceeded: return "task_succeeded";
    case FactKind::kTaskFailed: return "task_failed";
    case FactKind::kTaskTimedOut: return "task_timed_out";
    case FactKind::kTimerFired: return "timer_fired";
    case FactKind::kContinued: return "continued";
    case FactKind::kStopped: return "stopped";
    case FactKind::kRedriven: return "redriven";
  }
  return "unknown";
}

}  // namespace stepwell
