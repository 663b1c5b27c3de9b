#include "cli/server_process.h"

#include <signal.h>
#include <stepwell/engine.h>

#include <algorithm>
#include <future>
#include <map>
#include <memory>
#include <optional>

#include "cli/input.h"
#include "cli/interrupt.h"
#include "cli/plugins.h"
#include "cli/workflow_files.h"
#include "engine/runtime/blocking_engine.h"
#include "net/loop/loop.h"
#include "server/native/api.h"

namespace stepwell::cli {
namespace {

constexpr Millis kLookAgain{1000};  // How often a dev server looks whether a workflow changed.
constexpr Millis kDrain{5'000};     // Requests under way may take so long when it stops.

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

// The workflows of a folder, deployed, and deployed again when their text changes.
// On the loop's thread, and on the main thread before the loop runs.
class Deployer {
 public:
  // `looks_again`: look_again() will be called, so that a folder may be empty, or not there yet.
  Deployer(Console& console, loop::Loop& loop, runtime::BlockingEngine& engine, std::string folder,
           Substitutions substitutions, bool looks_again)
      : console_(console),
        loop_(loop),
        engine_(engine),
        folder_(std::move(folder)),
        substitutions_(std::move(substitutions)),
        looks_again_(looks_again) {}

  // Answers whether all were good.
  bool deploy_all() {
    const auto files = find_workflows({folder_});
    const bool may_come = looks_again_ && !files.ok() && files.error().code == ErrorCode::kNotFound;
    if (!files.ok() && !may_come) {
      console_.fail(files.error());
      return false;
    }
    bool all_good = true;
    if (files.ok()) {
      for (const WorkflowFile& file : *files) {
        const auto text = read(file);
        const bool is_good = text && settle(file, *text, deploy_now(file, *text));
        all_good = is_good && all_good;
      }
    }
    std::vector<std::string> names;
    for (const auto& [path, known] : deployed_) {
      if (known.state == State::kGood) names.push_back(known.name);
    }
    tell_unused(console_, substitutions_);
    const std::string none =
        "none in " + folder_ + (looks_again_ ? "; what is put there is deployed at once" : "");
    console_.say("workflows  " + (names.empty() ? none : joined(names) + " in " + folder_));
    return all_good;
  }

  // Does not block the loop: deploying asks the database.
  void look_again() {
    const auto files = find_workflows({folder_});
    if (!files.ok()) return;
    for (const WorkflowFile& file : *files) {
      auto text = read_file(file.path);
      if (text.ok()) text = substitutions_.apply(*text);
      const auto known = deployed_.find(file.path);
      const bool is_same = known != deployed_.end() && text.ok() && known->second.text == *text;
      const bool is_again = is_same && known->second.state == State::kAway;
      if (!text.ok() || (is_same && !is_again)) continue;
      const std::string why = known == deployed_.end() || is_again ? "" : ": its file changed";
      deployed_[file.path] = {file.name, *text, State::kUnderWay};
      engine_.async().deploy(Namespace(), {file.name, *text, file.path},
                             [this, &loop = loop_, file, why, is_again,
                              text = *text](const Answer<std::string>& done) {
                               loop.post([this, file, why, is_again, text, done] {
                                 if (settle(file, text, done, is_again))
                                   console_.say("deployed   " + file.name + why);
                               });
                             });
    }
  }

 private:
  // Away: the database was, so that the same text is tried again.
  enum class State : std::uint8_t { kUnderWay, kGood, kBad, kAway };
  struct Known {
    std::string name, text;
    State state = State::kUnderWay;
  };

  std::optional<std::string> read(const WorkflowFile& file) {
    auto text = read_file(file.path);
    if (text.ok()) return substitutions_.apply(*text);
    console_.fail(Exit::kDenied, text.error().message);
    return std::nullopt;
  }

  // Blocks until the database has answered.
  Answer<std::string> deploy_now(const WorkflowFile& file, const std::string& text) {
    auto told = std::make_shared<std::promise<Answer<std::string>>>();
    auto answer = told->get_future();
    engine_.async().deploy(Namespace(), {file.name, text, file.path},
                           [told](const Answer<std::string>& done) { told->set_value(done); });
    return answer.get();
  }

  // Answers whether it is deployed.  `is_again`: people know already that the database is away.
  bool settle(const WorkflowFile& file, const std::string& text, const Answer<std::string>& done,
              bool is_again = false) {
    const bool is_away = looks_again_ && done.code == Code::kUnavailable;
    deployed_[file.path] = {file.name, text,
                            done      ? State::kGood
                            : is_away ? State::kAway
                                      : State::kBad};
    if (done) {
      tell_unserved(file, text);
      return true;
    }
    if (is_away && is_again) return false;
    console_.say(done.error);
    console_.say(file.path + (is_away ? " is not deployed yet; trying again" : " is not deployed"));
    return false;
  }

  // No mistake: another process may serve it, or come to.  Until then an execution waits there.
  void tell_unserved(const WorkflowFile& file, const std::string& text) {
    const dsl::Compiled compiled = dsl::compile(text, {.file = file.path, .known_resources = {}});
    if (!compiled.ok()) return;
    const auto known = engine_.async().known_resources();
    for (std::uint32_t m = 0; m < compiled.program->machines.size(); ++m) {
      const auto& states = compiled.program->machines[m].states;
      for (std::uint32_t s = 0; s < states.size(); ++s) {
        const auto* task = std::get_if<Task>(&states[s].kind);
        if (task == nullptr || std::binary_search(known.begin(), known.end(), task->resource)) {
          continue;
        }
        console_.say(place_text(*compiled.program, {MachineId{m}, StateId{s}, {}}) +
                     ": warning: nobody here serves \"" + task->resource +
                     "\"; executions wait there until somebody does");
      }
    }
  }

  Console& console_;
  loop::Loop& loop_;
  runtime::BlockingEngine& engine_;
  std::string folder_;
  Substitutions substitutions_;
  bool looks_again_;
  std::map<std::string, Known> deployed_;
};

std::unique_ptr<runtime::BlockingEngine> open_engine(Console& console, const ServerOptions& options,
                                                     Exit& exit) {
  Options engine_options;
  engine_options.database_url = options.database_url;
  engine_options.lanes = static_cast<unsigned>(options.lanes);
  engine_options.lease = std::chrono::milliseconds(options.lease_ms);
  engine_options.max_payload_bytes = static_cast<std::uint64_t>(options.max_payload_bytes);
  engine_options.max_transitions = static_cast<std::uint64_t>(options.max_transitions);
  engine_options.migrate = options.migrate;
  engine_options.unsafe = options.is_unsafe;
  auto engine = runtime::BlockingEngine::open(engine_options);
  if (engine) return std::move(engine.value);
  exit = console.fail(engine.code, engine.error);
  return nullptr;
}

Exit failed(Console& console, const Error& error) {
  return console.fail(error.code == ErrorCode::kInvalid ? Exit::kUsage : Exit::kUnavailable,
                      error.message);
}

}  // namespace

std::vector<Option> with_server_options(std::vector<Option> own, ServerOptions& server) {
  const Option shared[] = {
      {"--fake", &server.fake_url, "URL of `stepwell fake`: providers talk to it, not the world"},
      {"--notify", &server.notify_path, "file for notifications; default standard output"},
      number("--lanes", server.lanes, "threads that run executions; 0: one per core", 0),
      number("--max-payload-bytes", server.max_payload_bytes,
             "of a state's input, output or result; AWS's 262144", 1),
      number("--max-transitions", server.max_transitions,
             "states that one execution may enter; 10 million", 1),
      number("--lease-ms", server.lease_ms, "after so long without a sign a process counts as dead",
             1'000)};
  own.insert(own.end(), std::begin(shared), std::end(shared));
  return with_substitutions(std::move(own), server.substitutions);
}

Exit run_server(Console& console, const ServerOptions& options) {
  ::signal(SIGPIPE, SIG_IGN);  // A closed pipe or socket is an error where it is written, no end.
  Interrupt::install();
  Exit exit = Exit::kOk;
  auto substitutions = Substitutions::read(options.substitutions);
  if (!substitutions.ok()) return console.fail(Exit::kUsage, substitutions.error().message);
  loop::UvLoop loop;  // Outlives the engine, whose answers are posted to it.
  const auto engine = open_engine(console, options, exit);
  if (!engine) return exit;
  const Status plugged = attach_plugins(console, engine->async(), options);
  if (!plugged.ok()) return failed(console, plugged.error());
  if (const auto running = engine->run(); !running) {
    return console.fail(running.code, running.error);
  }
  Deployer deployer(console, loop, *engine, options.workflows, std::move(*substitutions),
                    !options.is_strict);
  if (!options.workflows.empty() && !deployer.deploy_all() && options.is_strict) {
    return Exit::kFailed;
  }
  http::Endpoint endpoint;
  endpoint.host = options.host;
  endpoint.port = options.port;
  auto api = server::Api::serve(loop, engine->async(), endpoint);
  if (!api.ok()) return failed(console, api.error());
  if (options.ready) options.ready((*api)->url());
  console.say("api        " + (*api)->url());
  console.say("ready; Ctrl-C stops");
  if (!options.workflows.empty() && !options.is_strict) {
    loop.every(kLookAgain, [&] { deployer.look_again(); });
  }
  loop::WatchId interrupt = 0;
  interrupt = loop.watch(Interrupt::descriptor(), true, false, [&](bool, bool) {
    loop.unwatch(interrupt);  // It stays readable.
    console.say("stopping");
    (*api)->drain(kDrain, [&loop] { loop.stop(); });
  });
  loop.run();
  api->reset();
  engine->stop();
  return Exit::kOk;
}

}  // namespace stepwell::cli
