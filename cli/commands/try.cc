#include <algorithm>
#include <chrono>
#include <memory>

#include "authoring/teststate/teststate.h"
#include "cli/commands.h"
#include "cli/input.h"
#include "cli/substitutions.h"
#include "cli/workflow_files.h"

namespace stepwell::cli {
namespace {

using teststate::Outcome;
using teststate::Tried;

struct TryArguments {
  std::string state, file, output = "table";
  std::string input = "{}", mock, error, cause, context, variables, items;
  int retries = 0, failed_iterations = 0;
  bool is_unchecked = false;
  SubstitutionOptions substitutions;
};

// JSON text of what an option was given; false when it could not be read, and that was said.
bool read_json(Console& console, const std::string& given, const std::string& option,
               std::optional<std::string>& to, Exit& exit) {
  if (given.empty()) return true;
  const auto value = read_input(console, given, option, exit);
  if (!value) return false;
  to = value->to_json();
  return true;
}

bool read_mock(Console& console, const TryArguments& given, teststate::Request& request,
               Exit& exit) {
  std::optional<std::string> result;
  if (!read_json(console, given.mock, "--mock", result, exit)) return false;
  const bool has_error = !given.error.empty() || !given.cause.empty();
  if (!result && !has_error) return true;
  teststate::Mock& mock = request.mock.emplace();
  mock.result = std::move(result);
  mock.validation =
      given.is_unchecked ? teststate::Validation::kNone : teststate::Validation::kStrict;
  if (has_error) mock.error.emplace();
  if (!given.error.empty()) mock.error->error = given.error;
  if (!given.cause.empty()) mock.error->cause = given.cause;
  return true;
}

Exit refused(Console& console, const teststate::Refusal& refusal, const std::string& source) {
  if (!refusal.diagnostics.empty()) {
    show_diagnostics(console, refusal.diagnostics, source);
    return Exit::kFailed;
  }
  const bool lacks_mock = refusal.message.find("mock must be specified") != std::string::npos;
  return console.fail(
      Exit::kUsage, refusal.message,
      lacks_mock ? "--mock JSON says what it comes to, --error E what it fails with" : "");
}

std::string seconds(double count) {
  std::string text = Value(count).to_json();
  if (text.size() > 2 && text.compare(text.size() - 2, 2, ".0") == 0) text.resize(text.size() - 2);
  return text + " s";
}

void show(Console& console, const Tried& tried) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& [name, text] : tried.stages) rows.emplace_back(name, text.json);
  if (tried.error) rows.emplace_back("error", *tried.error);
  if (tried.cause) rows.emplace_back("cause", *tried.cause);
  if (tried.catcher)
    rows.emplace_back("caught by", "Catch[" + std::to_string(*tried.catcher) + "]");
  if (tried.retrier) {
    rows.emplace_back("retried by", "Retry[" + std::to_string(*tried.retrier) + "] in " +
                                        seconds(tried.backoff_seconds));
  }
  if (tried.variables.size() > 0) rows.emplace_back("variables", tried.variables.to_json());
  if (tried.output) rows.emplace_back("output", tried.output->json);
  if (tried.output) rows.emplace_back("next state", tried.next_state.value_or("(the end)"));
  rows.emplace_back("status", to_string(tried.outcome));
  // Never cut: the end of a value may be what one looks for.
  std::size_t widest = 0;
  for (const auto& row : rows) widest = std::max(widest, columns_of(row.first));
  for (const auto& [name, value] : rows) {
    console.print(console.dim(name + std::string(widest - columns_of(name) + 2, ' ')) + value);
  }
}

Exit try_state(Console& console, const TryArguments& given) {
  if (given.retries < 0 || given.failed_iterations < 0) {
    return console.fail(Exit::kUsage, "--retries and --failed-iterations count from 0");
  }
  const auto written = read_file(given.file);
  if (!written.ok()) return console.fail(written.error());
  auto substitutions = Substitutions::read(given.substitutions);
  if (!substitutions.ok()) return console.fail(Exit::kUsage, substitutions.error().message);
  const std::string text = substitutions->apply(*written);
  tell_unused(console, *substitutions);
  teststate::Request request;
  request.definition = text;
  request.file = given.file;
  request.state_name = given.state;
  request.retries = static_cast<std::uint32_t>(given.retries);
  request.failed_iterations = static_cast<std::uint64_t>(given.failed_iterations);
  Exit exit = Exit::kOk;
  if (!read_json(console, given.input, "--input", request.input, exit) ||
      !read_json(console, given.variables, "--variables", request.variables, exit) ||
      !read_json(console, given.context, "--context", request.context, exit) ||
      !read_json(console, given.items, "--items", request.item_data, exit) ||
      !read_mock(console, given, request, exit)) {
    return exit;
  }
  teststate::Setting setting;
  setting.now = std::chrono::floor<Millis>(std::chrono::system_clock::now());
  const auto answer = teststate::test_state(request, setting);
  if (const auto* refusal = std::get_if<teststate::Refusal>(&answer)) {
    return refused(console, *refusal, text);
  }
  const Tried& tried = std::get<Tried>(answer);
  if (given.output == "json") {
    console.print(to_json(tried, "TRACE").to_json());
  } else {
    show(console, tried);
  }
  const bool is_well =
      tried.outcome == Outcome::kSucceeded || tried.outcome == Outcome::kCaughtError;
  return is_well ? Exit::kOk : Exit::kFailed;
}

}  // namespace

Command try_command() {
  auto given = std::make_shared<TryArguments>();
  return {
      "try", "Try one state: every value between its input and its output",
      with_substitutions(
          {{"STATE", &given->state, "name of the state, at any depth", true},
           {"-f,--file", &given->file, "the workflow", true},
           {"--input", &given->input, "of the state: JSON, @file or -"},
           {"--mock", &given->mock, "what a Task, Map or Parallel comes to: JSON or @file"},
           {"--error", &given->error, "the error that it fails with instead"},
           {"--cause", &given->cause, "the cause of that"},
           {"--variables", &given->variables, "in sight when the state begins: JSON or @file"},
           {"--context", &given->context, "laid over the context object: JSON or @file"},
           {"--retries", &given->retries, "how often --error was retried before"},
           {"--items", &given->items, "of a Map with an ItemReader, what it reads: a JSON array"},
           {"--failed-iterations", &given->failed_iterations, "of a Map"},
           {"--no-shape", &given->is_unchecked,
            "take a --mock that is not what the service would answer"},
           output_option(given->output)},
          given->substitutions),
      [given](Console& console) { return try_state(console, *given); },
      "Nothing outside is called and nothing waits.  The answer is that of TestState: -o json\n"
      "prints it with all of its inspectionData.  Exit 1 when the state fails or is to be\n"
      "retried."};
}

}  // namespace stepwell::cli
