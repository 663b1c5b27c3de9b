#include "authoring/teststate/teststate.h"

#include <algorithm>
#include <set>

#include "authoring/teststate/mock.h"
#include "base/match.h"
#include "engine/step/rehearsal.h"

namespace stepwell::teststate {

namespace {

// The name of a state that was given without one.
constexpr const char* kNameless = "StateName";
// The most retries that a request may say were made before.
constexpr std::uint32_t kMaxRetries = 100'000;

Refusal invalid(std::string message) { return {"ValidationException", std::move(message), {}}; }

Refusal invalid_definition(std::vector<dsl::Diagnostic> diagnostics) {
  Refusal refusal{"InvalidDefinition", "", {}};
  for (dsl::Diagnostic& diagnostic : diagnostics) {
    if (diagnostic.severity == dsl::Severity::kError) {
      refusal.diagnostics.push_back(std::move(diagnostic));
    }
  }
  std::string said = "the definition cannot be read";
  if (!refusal.diagnostics.empty()) {
    const dsl::Diagnostic& first = refusal.diagnostics.front();
    const bool in_aws_words = !first.aws_message.empty();
    said = (in_aws_words ? "SCHEMA_VALIDATION_FAILED: " + first.aws_message : first.message) +
           " at " + (in_aws_words ? first.aws_location : first.pointer);
  }
  refusal.message = "Invalid State Machine Definition: '" + said + "'";
  return refusal;
}

// Adds the names of the states that a state may go to.
void gather_targets(const Value& value, std::set<std::string>& names) {
  for (const char* field : {"Next", "Default"}) {
    const Value* name = value.find(field);
    if (name != nullptr && name->is_string()) names.insert(name->as_string());
  }
  for (const char* field : {"Choices", "Catch"}) {
    const Value* rules = value.find(field);
    if (rules == nullptr || !rules->is_array()) continue;
    for (const Value& rule : rules->as_array()) gather_targets(rule, names);
  }
}

// A workflow of that one state; each state that it may go to is a Succeed.
std::string workflow_around(const Value& state) {
  std::set<std::string> targets;
  gather_targets(state, targets);
  Object states{{kNameless, state}};
  for (const std::string& target : targets) {
    if (target != kNameless) states.set(target, Object{{"Type", "Succeed"}});
  }
  return Value(Object{{"StartAt", kNameless}, {"States", std::move(states)}}).to_json();
}

// The program, changed to begin at the state that is tested.
struct Subject {
  Program program;
  const State& state() const {
    const Machine& machine = program.machines.front();
    return machine.states[machine.start_at.value];
  }
};

// Makes a state of any depth the first of machine 0; machines inside of it keep their numbers.
bool begin_at(Program& program, const std::string& name) {
  for (std::size_t i = 0; i < program.machines.size(); ++i) {
    const std::vector<State>& states = program.machines[i].states;
    const auto found = std::find_if(states.begin(), states.end(),
                                    [&](const State& state) { return state.name == name; });
    if (found == states.end()) continue;
    Machine machine = program.machines[i];
    machine.start_at = StateId{static_cast<std::uint32_t>(found - states.begin())};
    machine.parent.reset();
    program.machines.front() = std::move(machine);
    return true;
  }
  return false;
}

std::variant<Subject, Refusal> subject_of(const Request& request) {
  dsl::Parsed document = dsl::parse_document(request.definition, request.file);
  if (!document.diagnostics.empty()) return invalid_definition(std::move(document.diagnostics));
  const bool is_workflow = document.value.find("States") != nullptr;
  dsl::CompileOptions options;
  options.file = request.file;
  dsl::Compiled compiled =
      dsl::compile(is_workflow ? request.definition : workflow_around(document.value), options);
  if (!compiled.ok()) return invalid_definition(std::move(compiled.diagnostics));
  Subject subject{*compiled.program};
  // The changed program has no hash, and the time limit is that of the whole workflow.
  subject.program.hash.clear();
  subject.program.timeout_seconds.reset();
  if (!is_workflow) {
    if (request.state_name.empty()) return subject;
    return invalid("stateName names a state of a workflow, and the definition is a single state");
  }
  if (request.state_name.empty()) {
    return invalid(
        "The definition is a workflow: stateName has to say which of its states to test");
  }
  if (begin_at(subject.program, request.state_name)) return subject;
  return invalid("State '" + request.state_name + "' does not exist in the definition");
}

// The JSON texts of the request, parsed.
struct Given {
  Value input{Object()}, variables{Object()}, context;
  std::optional<Value> items;
  Value mocked;
};

std::optional<Refusal> read_texts(const Request& request, Given& given) {
  const auto read = [](const std::optional<std::string>& text, Value& to) {
    if (!text) return true;
    auto parsed = parse_json(*text);
    if (!parsed.ok()) return false;
    to = std::move(parsed).value();
    return true;
  };
  if (!read(request.input, given.input)) {
    return Refusal{
        "InvalidExecutionInput", "Invalid State Machine Execution Input: it is not JSON", {}};
  }
  if (!read(request.variables, given.variables) || !given.variables.is_object()) {
    return invalid("The variables must be a JSON object");
  }
  Value context{Object()};
  if (!read(request.context, context)) {
    return invalid("Invalid Context object provided: it must be a JSON object");
  }
  if (auto problem = context_problem(context)) return invalid(std::move(*problem));
  given.context = std::move(context);
  if (request.item_data) {
    Value items;
    if (!read(request.item_data, items) || !items.is_array()) {
      return invalid("mapItemReaderData must be a JSON array");
    }
    given.items = std::move(items);
  }
  if (request.mock && request.mock->result) read(request.mock->result, given.mocked);
  return std::nullopt;
}

// Sets a field of the context object unless the request has set it.
void set_default(Value& context, const char* section, const char* name, Value value) {
  Object sections = context.as_object();
  const Value* found = context.find(section);
  Object fields = found != nullptr ? found->as_object() : Object();
  if (!fields.contains(name)) fields.set(name, std::move(value));
  sections.set(section, std::move(fields));
  context = std::move(sections);
}

// One run of the state, from entering it to leaving it.
class Trial {
 public:
  Trial(const Subject& subject, const Request& request, const Setting& setting, Given given)
      : subject_(subject), request_(request), setting_(setting), given_(std::move(given)) {
    rehearsal_.variables = given_.variables;
    rehearsal_.context = given_.context;
    rehearsal_.items = given_.items;
    rehearsal_.failed_iterations = request.failed_iterations;
    if (request.mock) rehearsal_.children = mocked();
  }

  std::variant<Tried, Refusal> run() {
    apply(Fact{CommandId{}, setting_.now, 0, started()});
    while (!over() && !due_.empty()) {
      const Fact fact = std::move(due_.front());
      due_.clear();
      apply(fact);
    }
    if (refusal_) return std::move(*refusal_);
    if (rehearsal_.iterations && request_.failed_iterations > *rehearsal_.iterations) {
      return invalid(
          "Map iteration failure count must be less than or equal to the number of Map "
          "iterations");
    }
    return tried();
  }

 private:
  bool over() const {
    return refusal_ || rehearsal_.departure || retriable_ || !execution_.is_running();
  }

  Started started() const {
    Started started;
    started.input = given_.input;
    Pins& pins = started.pins;
    pins.seed = 42;
    pins.limits.slice_transitions = 1;
    pins.machine_name = setting_.machine;
    pins.execution_name = setting_.execution;
    pins.machine_arn = setting_.account + "stateMachine:" + setting_.machine;
    pins.execution_arn =
        setting_.account + "express:" + setting_.machine + ":" + setting_.execution;
    pins.role_arn = request_.role_arn.value_or("");
    return started;
  }

  void apply(const Fact& fact) {
    std::vector<Command> commands;
    rehearse(subject_.program, execution_, fact, commands, rehearsal_);
    if (over()) return;
    for (const Command& command : commands) {
      std::visit(match{
                     [&](const RunTask& task) { answer(task); },
                     [&](const SetTimer& timer) { fire(timer); },
                     [](const auto&) {},
                 },
                 command);
    }
  }

  TaskResult mocked() const {
    const auto& error = request_.mock->error;
    if (error) return TaskFailed{error->error, error->cause, std::nullopt};
    return TaskSucceeded{given_.mocked};
  }

  void answer(const RunTask& task) {
    if (!request_.mock && !setting_.run) {
      refusal_ = invalid("Nobody runs '" + task.resource + "' here: a mock must be specified");
      return;
    }
    FactBody body = request_.mock ? body_of(mocked()) : setting_.run(task);
    due_.push_back(Fact{task.id, execution_.last_at, 0, std::move(body)});
  }

  // Ends a Wait at once.  Ends the delay of a retrier while attempts are made up that the request
  // says were made before; the delay after them is the result.
  void fire(const SetTimer& timer) {
    if (rehearsal_.retrier && retries_++ >= request_.retries) {
      retriable_ = true;
      return;
    }
    due_.push_back(Fact{timer.id, timer.due, 0, TimerFired{}});
  }

  Tried::Text text(const Value& value) const {
    const bool as_written = request_.mock && request_.mock->result && value.identity() != nullptr &&
                            value.identity() == given_.mocked.identity();
    return {value, as_written ? *request_.mock->result : value.to_json()};
  }

  Tried tried() const {
    Tried tried;
    tried.stages.emplace_back("input", text(given_.input));
    for (const auto& [name, value] : rehearsal_.stages) {
      tried.stages.emplace_back(name, text(value));
    }
    tried.variables = given_.variables;
    tried.error = rehearsal_.error;
    tried.cause = rehearsal_.cause;
    if (const auto& departure = rehearsal_.departure) {
      tried.outcome = rehearsal_.catcher ? Outcome::kCaughtError : Outcome::kSucceeded;
      tried.output = text(departure->output);
      tried.next_state = departure->next;
      tried.variables = departure->variables;
      tried.catcher = rehearsal_.catcher;
    } else if (retriable_) {
      tried.outcome = Outcome::kRetriable;
      tried.retrier = rehearsal_.retrier;
      tried.backoff_seconds = static_cast<double>(rehearsal_.backoff.count()) / 1000;
    } else {
      tried.outcome = Outcome::kFailed;
      tried.error = execution_.error;
      tried.cause = execution_.cause;
    }
    return tried;
  }

  const Subject& subject_;
  const Request& request_;
  const Setting& setting_;
  const Given given_;
  Rehearsal rehearsal_;
  Execution execution_;
  std::vector<Fact> due_;
  std::uint32_t retries_ = 0;
  bool retriable_ = false;
  std::optional<Refusal> refusal_;
};

}  // namespace

const char* to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::kSucceeded: return "SUCCEEDED";
    case Outcome::kFailed: return "FAILED";
    case Outcome::kRetriable: return "RETRIABLE";
    case Outcome::kCaughtError: return "CAUGHT_ERROR";
  }
  return "";
}

std::variant<Tried, Refusal> test_state(const Request& request, const Setting& setting) {
  if (request.retries > kMaxRetries) {
    return invalid("retrierRetryCount must not be above " + std::to_string(kMaxRetries));
  }
  auto found = subject_of(request);
  if (auto* refusal = std::get_if<Refusal>(&found)) return std::move(*refusal);
  const Subject& subject = std::get<Subject>(found);
  const State& state = subject.state();
  if (std::holds_alternative<Task>(state.kind) && setting.as_aws && !request.role_arn &&
      !request.mock) {
    return invalid("RoleArn must be specified when testing a Task state");
  }
  if (auto problem = mock_problem(request, state)) return invalid(std::move(*problem));
  Given given;
  if (auto refusal = read_texts(request, given)) return std::move(*refusal);
  if (!request.role_arn) set_default(given.context, "Execution", "RoleArn", Value());
  if (setting.as_aws) set_default(given.context, "State", "Name", kNameless);
  return Trial(subject, request, setting, std::move(given)).run();
}

}  // namespace stepwell::teststate
