// Engine: opening, tasks, deploying, running, starting.
#include <fmt/core.h>
#include <stepwell/engine.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <future>
#include <sstream>
#include <thread>

#include "base/hash.h"
#include "dsl/dsl.h"
#include "engine/postgres/postgres.h"
#include "engine/runtime/attach.h"
#include "engine/runtime/engine_parts.h"
#include "language/program/accept.h"

namespace stepwell {
namespace {

constexpr const char* kMemory = "memory:";

std::string default_label() {
  char host[256] = "localhost";
  gethostname(host, sizeof host - 1);
  return fmt::format("{}:{}", host, getpid());
}

struct Dice {
  std::uint64_t high = 0, low = 0, seed = 0;
  Secret secret{};
};

Dice roll() {
  const auto& random = runtime::real_surroundings().random;
  return {random(), random(), random()};
}

Result<std::shared_ptr<store::Store>> open_store(const Options& options, const std::string& label) {
  if (options.database_url == kMemory) {
    return std::shared_ptr<store::Store>(store::make_memory_store());
  }
  if (options.database_url.empty()) {
    return Error{ErrorCode::kInvalid,
                 "no database is named: give postgresql://..., or memory: for a trial"};
  }
  const postgres::PgOptions pg{.url = options.database_url, .label = label};
  if (options.migrate) {
    if (auto migrated = postgres::migrate(pg); !migrated.ok()) return migrated.error();
  }
  auto store = postgres::open_store(pg);
  if (!store.ok()) return store.error();
  TRY((*store)->check(options.unsafe));
  return std::shared_ptr<store::Store>(std::move(*store));
}

std::string render_all(const std::vector<dsl::Diagnostic>& diagnostics, const std::string& text) {
  std::string all;
  for (const dsl::Diagnostic& diagnostic : diagnostics) all += dsl::render(diagnostic, text);
  return all;
}

Answer<std::string> deploy(Engine::Parts& parts, const std::string& name, const std::string& text,
                           const std::string& file) {
  if (name.empty()) return {{}, Code::kInvalid, "a workflow needs a name"};
  dsl::Compiled compiled =
      dsl::compile(text, {.file = file, .known_resources = parts.known_resources()});
  if (!compiled.ok()) return {{}, Code::kInvalid, render_all(compiled.diagnostics, text)};
  const auto stored =
      parts.store->put_program(parts.ns, {.hash = compiled.program->hash,
                                          .workflow = name,
                                          .source = text,
                                          .definition = compiled.program->definition.to_json(),
                                          .file = file});
  if (!stored.ok()) return failed<std::string>(stored.error().while_doing("deploying " + name));
  parts.programs.put(parts.ns, name, compiled.program);
  return {compiled.program->hash, Code::kOk, {}};
}

Answer<StartedExecution> started(const Result<store::StartOutcome>& outcome,
                                 const std::string& workflow, const std::string& name) {
  if (!outcome.ok())
    return failed<StartedExecution>(outcome.error().while_doing("starting " + workflow));
  using Kind = store::StartOutcome::Kind;
  if (outcome->kind == Kind::kExistsOther) {
    return {{},
            Code::kConflict,
            fmt::format("an execution of {} named \"{}\" exists with another input: {}", workflow,
                        name, outcome->id.text())};
  }
  return {{outcome->id.text(), outcome->kind == Kind::kExistsSame}, Code::kOk, {}};
}

std::string in_doubt(const std::string& workflow, Millis waited) {
  return fmt::format(
      "starting {}: the database has not answered within {}; whether it starts is in doubt "
      "(repeated under the same name it starts only once)",
      workflow, to_human(waited));
}

// Without a lane: due at once for whoever serves the pool.
Result<store::StartOutcome> start_in_store(Engine::Parts& parts, runtime::Beginning beginning) {
  const Time now = TRY(parts.now());
  beginning.row.owned = false;
  beginning.row.first = {
      beginning.row.id, 1, FactKind::kStarted, {}, now, 0, encode_payload(beginning.fact)};
  const auto outcomes = TRY(parts.store->start({beginning.row}));
  return outcomes.at(0);
}

}  // namespace

Code code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid:
    case ErrorCode::kRefusedData: return Code::kInvalid;
    case ErrorCode::kNotFound: return Code::kNotFound;
    case ErrorCode::kConflict: return Code::kConflict;
    case ErrorCode::kFenced:
    case ErrorCode::kInDoubt:
    case ErrorCode::kUnavailable: return Code::kUnavailable;
    case ErrorCode::kTooLarge: return Code::kTooLarge;
    case ErrorCode::kDenied: return Code::kDenied;
    case ErrorCode::kInternal: return Code::kInternal;
  }
  return Code::kInternal;
}

TaskAnswer TaskAnswer::ok(std::string output_json) {
  return {true, std::move(output_json), {}, {}, {}};
}

TaskAnswer TaskAnswer::fail(std::string error, std::string cause) {
  return {false, {}, std::move(error), std::move(cause), {}};
}

Engine::Parts::Parts(std::shared_ptr<store::Store> the_store, const Options& the_options,
                     const runtime::Settings& the_settings)
    : options(the_options),
      settings(the_settings),
      store(std::move(the_store)),
      programs(*store, runtime::real_surroundings().clock),
      history(*store, programs) {}

Result<Time> Engine::Parts::now() {
  if (is_running) return runtime->clock().now();
  return store->now();
}

std::vector<std::string> Engine::Parts::known_resources() const {
  std::vector<std::string> names = natives->resources();
  names.insert(names.end(), resources.begin(), resources.end());
  std::sort(names.begin(), names.end());
  return names;
}

Result<runtime::Beginning> Engine::Parts::prepare_start(const std::string& workflow,
                                                        const std::string& input,
                                                        const StartOptions& start) {
  if (input.size() > options.max_payload_bytes) {
    return Error{ErrorCode::kTooLarge, fmt::format("the input of {} bytes is over the limit of {}",
                                                   input.size(), options.max_payload_bytes)};
  }
  auto parsed = parse_json(input);
  if (!parsed.ok()) {
    return Error{ErrorCode::kInvalid, "the input is no JSON: " + parsed.error().message};
  }
  runtime::Beginning beginning;
  beginning.program = TRY(programs.current(ns, workflow));
  TRY(accept_input(*beginning.program, *parsed));
  const Dice dice = roll();
  store::Start& row = beginning.row;
  row.id = ExecutionId{Uuid::v7(unix_ms(TRY(now())), dice.high, dice.low)};
  row.ns = ns;
  row.workflow = workflow;
  row.program_hash = beginning.program->hash;
  row.name = start.name.empty() ? row.id.text() : start.name;
  row.input = input;
  row.input_hash = parsed->hash();
  row.tags = start.tags;
  if (!start.redrive_of.empty()) {
    const auto of = Uuid::parse(start.redrive_of);
    if (!of) return Error{ErrorCode::kInvalid, "\"" + start.redrive_of + "\" is no execution id"};
    row.redrive_of = ExecutionId{*of};
  }
  const std::string arn = fmt::format("arn:aws:states:{}:{}", ns.region(), ns.account());
  Pins& pins = beginning.fact.pins;
  pins.program_hash = row.program_hash;
  pins.limits.max_payload_bytes = options.max_payload_bytes;
  pins.limits.max_transitions = options.max_transitions;
  pins.execution_name = row.name;
  pins.execution_arn = fmt::format("{}:execution:{}:{}", arn, workflow, row.name);
  pins.machine_name = workflow;
  pins.machine_arn = fmt::format("{}:stateMachine:{}", arn, workflow);
  pins.role_arn = fmt::format("arn:aws:iam::{}:role/stepwell", ns.account());
  pins.seed = dice.seed;
  pins.secret = dice.secret;
  if (parsed->to_json() != input) beginning.fact.input_text = input;
  beginning.fact.input = std::move(*parsed);
  return beginning;
}

Engine::Engine(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

Engine::~Engine() { stop(); }

Answer<std::unique_ptr<Engine>> Engine::open(const Options& options) {
  runtime::Settings settings;
  settings.label = options.label.empty() ? default_label() : options.label;
  settings.lease = options.lease;
  settings.lanes =
      options.lanes != 0 ? options.lanes : std::max(1u, std::thread::hardware_concurrency());
  auto store = open_store(options, settings.label);
  if (!store.ok()) return failed<std::unique_ptr<Engine>>(store.error());
  return runtime::open_on(std::move(*store), options, settings);
}

void Engine::task(const std::string& resource, std::function<TaskAnswer(const TaskInput&)> function,
                  bool quick) {
  parts_->natives->add(resource, std::move(function), quick);
}

Answer<std::string> Engine::deploy_text(const std::string& name, const std::string& yaml_or_json) {
  return deploy(*parts_, name, yaml_or_json, name + ".yaml");
}

Answer<std::string> Engine::deploy_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return {{}, Code::kNotFound, "cannot read " + path};
  std::stringstream text;
  text << file.rdbuf();
  return deploy(*parts_, std::filesystem::path(path).stem().string(), text.str(), path);
}

Answer<Nothing> Engine::run() {
  Parts& parts = *parts_;
  if (parts.runtime != nullptr) return {{}, Code::kConflict, "the engine ran already"};
  std::vector<runtime::HandlerFactory> factories = parts.factories;
  factories.push_back([natives = parts.natives](loop::Loop&, unsigned) { return natives; });
  parts.runtime = std::make_unique<runtime::Runtime>(*parts.store, parts.programs, parts.settings);
  if (const Status status = parts.runtime->run(factories); !status.ok()) {
    parts.runtime.reset();
    return failed<Nothing>(status.error());
  }
  parts.is_running = true;
  return {};
}

void Engine::stop() {
  if (!parts_->is_running.exchange(false)) return;
  parts_->runtime->stop();
  parts_->natives->stop();
}

Answer<StartedExecution> Engine::start(const std::string& workflow, const std::string& input_json,
                                       const StartOptions& options) {
  // Shared: the answer may come when nobody waits any more.
  auto promise = std::make_shared<std::promise<Answer<StartedExecution>>>();
  auto future = promise->get_future();
  runtime::start_then(
      *this, workflow, input_json, options,
      [promise](Answer<StartedExecution> answer) { promise->set_value(std::move(answer)); });
  if (future.wait_for(parts_->settings.start_deadline) != std::future_status::ready) {
    return {{}, Code::kUnavailable, in_doubt(workflow, parts_->settings.start_deadline)};
  }
  Answer<StartedExecution> answer = future.get();
  // A lane was cut off.  Whether it had started it is in the store, under its name.
  if (answer.code != Code::kUnavailable || options.name.empty() || !parts_->is_running) {
    return answer;
  }
  auto again = parts_->prepare_start(workflow, input_json, options);
  if (!again.ok()) return failed<StartedExecution>(again.error());
  return started(start_in_store(*parts_, std::move(*again)), workflow, options.name);
}

namespace runtime {

void attach(Engine& engine, HandlerFactory make, std::vector<std::string> resources) {
  Engine::Parts& parts = EngineDoor::parts(engine);
  parts.factories.push_back(std::move(make));
  parts.resources.insert(parts.resources.end(), resources.begin(), resources.end());
}

std::vector<std::string> known_resources(Engine& engine) {
  return EngineDoor::parts(engine).known_resources();
}

Answer<std::unique_ptr<Engine>> open_on(std::shared_ptr<store::Store> store, const Options& options,
                                        const Settings& settings) {
  auto parts = std::make_unique<Engine::Parts>(std::move(store), options, settings);
  return {EngineDoor::make(std::move(parts)), Code::kOk, {}};
}

const Counters& counters_of(Engine& engine) {
  Engine::Parts& parts = EngineDoor::parts(engine);
  CHECK(parts.runtime != nullptr, "counters_of() before run()");
  return parts.runtime->counters();
}

bool when_released(Engine& engine, const std::string& id, std::function<void()> told) {
  Engine::Parts& parts = EngineDoor::parts(engine);
  const auto uuid = Uuid::parse(id);
  if (!uuid || !parts.is_running) return false;
  return parts.runtime->ends().when_released({*uuid}, std::move(told)) != 0;
}

store::Store& store_of(Engine& engine) { return *EngineDoor::parts(engine).store; }

void start_then(Engine& engine, const std::string& workflow, const std::string& input_json,
                const StartOptions& options, std::function<void(Answer<StartedExecution>)> told) {
  Engine::Parts& parts = EngineDoor::parts(engine);
  auto beginning = parts.prepare_start(workflow, input_json, options);
  if (!beginning.ok()) {
    told(failed<StartedExecution>(beginning.error()));
    return;
  }
  const std::string name = beginning->row.name;
  if (!parts.is_running) {
    told(started(start_in_store(parts, std::move(*beginning)), workflow, name));
    return;
  }
  parts.runtime->begin(std::move(*beginning), [workflow, name, told = std::move(told)](
                                                  const Result<store::StartOutcome>& outcome) {
    told(started(outcome, workflow, name));
  });
}

}  // namespace runtime
}  // namespace stepwell
