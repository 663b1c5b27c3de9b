// The payload of a journal row, per kind of fact.
#include "engine/step/fact.h"

#include <charconv>
#include <limits>

#include "base/hash.h"
#include "base/match.h"

namespace stepwell {

namespace {

// Payloads were checked when they came in; what we wrote we read.
constexpr JsonLimits kOwnText{std::numeric_limits<std::size_t>::max(), 100'000, false, false};

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

Result<FactBody> wrong(FactKind kind) {
  return Error{ErrorCode::kInvalid,
               std::string("the payload is not that of a fact ") + fact_name(kind)};
}

Object limits_json(const Limits& limits) {
  constexpr Limits kDefault;
  Object json;
  const auto put = [&json](std::string_view key, std::uint64_t limit, std::uint64_t by_default) {
    if (limit != by_default) json.set(key, limit);
  };
  put("payload_bytes", limits.max_payload_bytes, kDefault.max_payload_bytes);
  put("transitions", limits.max_transitions, kDefault.max_transitions);
  put("slice", limits.slice_transitions, kDefault.slice_transitions);
  put("depth", limits.max_value_depth, kDefault.max_value_depth);
  return json;
}

void read_limits(const Value& json, Limits& to) {
  to.max_payload_bytes = number_at(json, "payload_bytes", to.max_payload_bytes);
  to.max_transitions = number_at(json, "transitions", to.max_transitions);
  to.slice_transitions = number_at(json, "slice", to.slice_transitions);
  to.max_value_depth = static_cast<std::uint32_t>(number_at(json, "depth", to.max_value_depth));
}

struct NameField {
  const char* key;
  std::string Pins::*name;
};
constexpr NameField kNames[] = {{"execution_arn", &Pins::execution_arn},
                                {"execution_name", &Pins::execution_name},
                                {"role_arn", &Pins::role_arn},
                                {"machine_arn", &Pins::machine_arn},
                                {"machine_name", &Pins::machine_name}};

void read_names(const Value& json, Pins& to) {
  for (const NameField& field : kNames) to.*field.name = text_at(json, field.key).value_or("");
}

std::string secret_text(const Secret& secret) {
  return hex_encode({reinterpret_cast<const char*>(secret.data()), secret.size()});
}

std::optional<Secret> secret_of(const std::string& text) {
  Secret secret{};
  if (text.size() != 2 * secret.size()) return std::nullopt;
  for (std::size_t i = 0; i < secret.size(); ++i) {
    const char* const at = text.data() + 2 * i;
    const auto [end, error] = std::from_chars(at, at + 2, secret[i], 16);
    if (error != std::errc() || end != at + 2) return std::nullopt;
  }
  return secret;
}

// Up to semantics 2 a started fact was {"pins": {...}, "input_text"?, "input": ...}.
FactBody started_of_old(const Value& json, const Value& old, const Value& input) {
  Started started{input, {}, text_at(json, "input_text").value_or("")};
  Pins& pins = started.pins;
  pins.program_hash = text_at(old, "program").value_or("");
  pins.semantics = static_cast<std::uint32_t>(number_at(old, "semantics", 1));
  pins.seed = number_at(old, "seed", 0);
  read_names(old, pins);
  if (const Value* limits = old.find("limits")) read_limits(*limits, pins.limits);
  return started;
}

constexpr std::string_view kOldStarted = R"({"pins":)";

// Where the input begins; npos: nowhere.  Inside a text of JSON every quote is escaped, so the
// first of these is the member.
constexpr std::string_view kInputMember = R"(,"i":)";

Result<FactBody> decode_started(std::string_view payload, const RowNames& row) {
  const auto at = payload.find(kInputMember);
  const bool is_whole = at != std::string_view::npos && payload.ends_with('}');
  if (!is_whole) return wrong(FactKind::kStarted);
  const std::string_view text = payload.substr(at + kInputMember.size());
  const Value json = TRY(parse_json(std::string(payload.substr(0, at)) + "}", kOwnText));
  auto program = text_at(json, "p");
  const auto secret = secret_of(text_at(json, "t").value_or(""));
  if (!program || !secret) return wrong(FactKind::kStarted);
  Started started;
  started.input_text = text.substr(0, text.size() - 1);
  started.input = TRY(parse_json(started.input_text, kOwnText));
  Pins& pins = started.pins;
  pins.program_hash = std::move(*program);
  pins.semantics = static_cast<std::uint32_t>(number_at(json, "s", 0));
  pins.seed = number_at(json, "k", 0);
  pins.secret = *secret;
  if (const Value* limits = json.find("limits")) read_limits(*limits, pins.limits);
  if (const Value* names = json.find("names")) {
    read_names(*names, pins);
  } else {
    name_by_row(pins, {row.workflow, row.name});
  }
  return FactBody(std::move(started));
}

FactBody failed_of(const Value& json) {
  TaskFailed failed{text_at(json, "error"), text_at(json, "cause"), std::nullopt};
  if (const Value* after = json.find("retry_after_ms"); after != nullptr && after->is_int()) {
    failed.retry_after = Millis(after->as_int());
  }
  return failed;
}

}  // namespace

FactBody body_of(TaskResult result) {
  return std::visit([](auto& fact) { return FactBody(std::move(fact)); }, result);
}

// A fact without names means these texts, as long as there are journals: names of another form are
// written into the fact.
void name_by_row(Pins& pins, const RowNames& row) {
  pins.named_by_row = row.account == kDefaultAccount;
  if (row.workflow.empty()) return;
  const std::string base = "arn:aws:states:local:" + std::string(row.account) + ":";
  pins.execution_name = row.name;
  pins.machine_name = row.workflow;
  pins.machine_arn = base + "stateMachine:" + pins.machine_name;
  pins.execution_arn = base + "execution:" + pins.machine_name + ":" + pins.execution_name;
  pins.role_arn = "arn:aws:iam::" + std::string(row.account) + ":role/stepwell";
}

std::string encode_pins(const Started& started) {
  const Pins& pins = started.pins;
  Object json{{"p", pins.program_hash},
              {"s", pins.semantics},
              {"k", static_cast<std::int64_t>(pins.seed)},
              {"t", secret_text(pins.secret)}};
  if (Object limits = limits_json(pins.limits); !limits.empty()) {
    json.set("limits", std::move(limits));
  }
  if (!pins.named_by_row) {
    Object names;
    for (const NameField& field : kNames) names.set(field.key, pins.*field.name);
    json.set("names", std::move(names));
  }
  return Value(std::move(json)).to_json();
}

std::string join_pins(std::string_view pins, std::string_view input) {
  std::string payload;
  payload.reserve(pins.size() + kInputMember.size() + input.size());
  payload += pins.substr(0, pins.size() - 1);
  payload += kInputMember;
  payload += input;
  return payload += '}';
}

std::string encode_payload(const FactBody& body) {
  Object json;
  return std::visit(match{
                        [&](const Started& started) {
                          return started.input_text.empty()
                                     ? join_pins(encode_pins(started), started.input.to_json())
                                     : join_pins(encode_pins(started), started.input_text);
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

Result<FactBody> decode_payload(FactKind kind, std::string_view payload, const RowNames& row) {
  if (kind == FactKind::kStarted && !payload.starts_with(kOldStarted)) {
    return decode_started(payload, row);
  }
  Value json;
  if (!payload.empty()) json = TRY(parse_json(payload, kOwnText));
  const bool object = json.is_object();
  switch (kind) {
    case FactKind::kStarted: {
      const Value* pins = json.find("pins");
      const Value* input = json.find("input");
      if (pins == nullptr || input == nullptr) return wrong(kind);
      return started_of_old(json, *pins, *input);
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
