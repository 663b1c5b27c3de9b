// AsyncEngine: starting executions.
#include <fmt/core.h>

#include <optional>

#include "engine/runtime/async_parts.h"
#include "language/program/accept.h"

namespace stepwell::runtime {
namespace {

struct Dice {
  std::uint64_t high = 0, low = 0, seed = 0;
  Secret secret{};
};

Answer<StartedExecution> started(const Result<store::StartOutcome>& outcome,
                                 const StartRequest& request) {
  if (!outcome.ok()) {
    return failed<StartedExecution>(outcome.error().while_doing("starting " + request.workflow));
  }
  using Kind = store::StartOutcome::Kind;
  if (outcome->kind == Kind::kExistsOther) {
    return {{},
            Code::kConflict,
            fmt::format("an execution of {} named \"{}\" exists with another input: {}",
                        request.workflow, request.options.name, outcome->id.text())};
  }
  return {{outcome->id.text(), outcome->kind == Kind::kExistsSame}, Code::kOk, {}};
}

// The input in both forms.
struct Input {
  Value value;
  std::string text;
  bool is_compact = true;  // The text is what the value is written as.
};

Result<Input> read_input(const StartRequest& request) {
  if (const Value* parsed = std::get_if<Value>(&request.input)) {
    return Input{*parsed, parsed->to_json()};
  }
  const auto& text = std::get<std::string>(request.input);
  auto parsed = parse_json(text);
  if (!parsed.ok()) {
    return Error{ErrorCode::kInvalid, "the input is not JSON: " + parsed.error().message};
  }
  const bool is_compact = parsed->to_json() == text;
  return Input{std::move(*parsed), text, is_compact};
}

Error too_large(std::size_t bytes, std::size_t most) {
  return {ErrorCode::kTooLarge,
          fmt::format("the input of {} bytes is over the limit of {}", bytes, most)};
}

}  // namespace

Result<Time> AsyncEngine::Parts::now() {
  std::optional<Time> here;
  with_runtime([&](Runtime& running) { here = running.clock().now(); });
  return here ? Result<Time>(*here) : store->now();
}

Result<Beginning> AsyncEngine::Parts::prepare(const ProgramRef& program, const Start& start) {
  const StartRequest& request = start.request;
  const auto* text = std::get_if<std::string>(&request.input);
  if (text != nullptr && text->size() > options.max_payload_bytes) {
    return too_large(text->size(), options.max_payload_bytes);
  }
  Input input = TRY(read_input(request));
  if (input.text.size() > options.max_payload_bytes) {
    return too_large(input.text.size(), options.max_payload_bytes);
  }
  Beginning beginning;
  beginning.program = program;
  TRY(accept_input(*program, input.value));
  const auto dice = rolled<Dice>();
  store::Start& row = beginning.row;
  row.id = ExecutionId{Uuid::v7(unix_ms(TRY(now())), dice.high, dice.low)};
  row.ns = start.ns;
  row.workflow = request.workflow;
  row.program_hash = program->hash;
  row.name = request.options.name.empty() ? row.id.text() : request.options.name;
  row.input_hash = input.value.hash();
  row.tags = request.options.tags;
  if (!request.options.redrive_of.empty())
    row.redrive_of = TRY(parse_id(request.options.redrive_of));
  Pins& pins = beginning.fact.pins;
  pins.program_hash = row.program_hash;
  pins.limits.max_payload_bytes = options.max_payload_bytes;
  pins.limits.max_transitions = options.max_transitions;
  name_by_row(pins, store::names_of(row));
  pins.seed = dice.seed;
  pins.secret = dice.secret;
  if (!input.is_compact) beginning.fact.input_text = input.text;
  beginning.fact.input = std::move(input.value);
  row.input = std::move(input.text);
  return beginning;
}

// Without a lane: due at once for whoever serves the pool.  Blocks.
Answer<StartedExecution> AsyncEngine::Parts::start_in_store(const Start& start) {
  const auto write = [&]() -> Result<store::StartOutcome> {
    const ProgramRef program = TRY(programs.current(start.ns, start.request.workflow));
    Beginning beginning = TRY(prepare(program, start));
    store::Start& row = beginning.row;
    row.owned = false;
    row.first = {row.id, 1, FactKind::kStarted, {}, TRY(now()), 0, encode_pins(beginning.fact)};
    row.is_first_slim = true;  // Its input is in the execution's row.
    const auto outcomes = TRY(store->start({row}));
    return outcomes.at(0);
  };
  return started(write(), start.request);
}

void AsyncEngine::Parts::start(Start start, const BeforeStart& before,
                               OnAnswer<StartedExecution> told) {
  if (is_stopped) return told({{}, Code::kUnavailable, "the engine has stopped"});
  const StartRef shared = std::make_shared<Start>(std::move(start));
  if (!runs()) {
    return ask<StartedExecution>(
        api_threads, [this, shared] { return start_in_store(*shared); }, std::move(told));
  }
  lookup.current(shared->ns, shared->request.workflow,
                 [this, shared, before, told](const Result<ProgramRef>& program) {
                   if (!program.ok()) return told(failed<StartedExecution>(program.error()));
                   begin(*program, shared, before, told);
                 });
}

void AsyncEngine::Parts::begin(const ProgramRef& program, const StartRef& start,
                               const BeforeStart& before, const OnAnswer<StartedExecution>& told) {
  auto beginning = prepare(program, *start);
  if (!beginning.ok()) return told(failed<StartedExecution>(beginning.error()));
  if (before) before(beginning->row.id);
  const auto answered = [this, start, told](const Result<store::StartOutcome>& outcome) {
    const bool is_cut_off = !outcome.ok() && code_of(outcome.error().code) == Code::kUnavailable;
    if (!is_cut_off || start->request.options.name.empty() || is_stopped) {
      return told(started(outcome, start->request));
    }
    // A lane was cut off.  Whether it had started it is in the store, under its name.
    ask<StartedExecution>(
        api_threads, [this, start] { return start_in_store(*start); }, told);
  };
  const bool has_begun =
      with_runtime([&](Runtime& running) { running.begin(std::move(*beginning), answered); });
  if (!has_begun) told({{}, Code::kUnavailable, "the engine has stopped"});
}

void AsyncEngine::start(const Namespace& ns, StartRequest request,
                        OnAnswer<StartedExecution> told) {
  parts_->start({ns, std::move(request)}, nullptr, std::move(told));
}

void AsyncEngine::start_and_wait(const Namespace& ns, StartRequest request, Millis at_most,
                                 OnAnswer<ExecutionView> told) {
  Parts& parts = *parts_;
  // Set when the start has passed the checks, and a lane begins it.
  const auto expected = std::make_shared<Waits::WaitRef>();
  const auto before = [&parts, ns, expected, at_most, told](ExecutionId id) {
    *expected = parts.waits.expect(ns, id, at_most, told);
  };
  parts.start({ns, std::move(request)}, before,
              [&parts, ns, expected, at_most,
               told = std::move(told)](const Answer<StartedExecution>& started) {
                const Answer<ExecutionView> why{{}, started.code, started.error};
                if (*expected != nullptr && !started) {
                  return parts.waits.is_not_started(*expected, why);
                }
                if (!started) return told(why);
                const ExecutionId id = parse_id(started.value.id).value();
                if (*expected == nullptr) return parts.waits.wait(ns, id, at_most, told);
                parts.waits.is_started(*expected, id);
              });
}

}  // namespace stepwell::runtime
