// stepwell::Engine — the workflow engine inside your process.
//
//   stepwell::Options options;
//   options.database_url = "postgresql:///app";
//   auto opened = stepwell::Engine::open(options);
//   stepwell::Engine& engine = *opened.value;
//   engine.task("greet", [](const stepwell::TaskInput& in) {
//     return stepwell::TaskAnswer::ok(in.input);
//   });
//   engine.deploy_text("hello", yaml);
//   engine.run();                                    // starts the lanes; returns at once
//   auto started = engine.start("hello", R"({"name":"Ada"})", {.name = "first"});
//   auto end = engine.wait(started.value.id, std::chrono::seconds(10));
//
// JSON crosses this border as text.  No header of a third party is included.
// Thread-safety: every method may be called from any thread once run() has returned; task(), and
// open() before it.  Ownership: the engine owns its threads; the destructor stops them.
// Errors: methods return Answer<T>; `error` is empty on success, else a sentence that says what,
// where and how to mend it.  Nothing throws.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace stepwell {

struct Options {
  std::string database_url;  // "postgresql://..."; "memory:" keeps everything in this process.
  std::string label;         // Shown to operators; default host:pid.
  unsigned lanes = 0;        // 0: one per core.
  bool unsafe = false;       // Accept a database with fsync or synchronous_commit off.
  bool migrate = false;      // Bring the schema up to date when it is not.
  // Limits, pinned by every start: raising one changes no execution that runs.
  std::uint64_t max_payload_bytes = 262'144;   // Of a state's input, output, result; AWS's limit.
  std::uint64_t max_transitions = 10'000'000;  // States that an execution enters in all.
  std::chrono::milliseconds lease{15'000};
};

// What went wrong, for programs: the same words as in the HTTP API.
enum class Code : std::uint8_t {
  kOk,
  kInvalid,
  kNotFound,
  kConflict,
  kUnavailable,
  kTooLarge,
  kDenied,
  kTimeout,
  kInternal,
};

template <class T>
struct Answer {
  T value{};
  Code code = Code::kOk;
  std::string error;
  explicit operator bool() const { return code == Code::kOk; }
};

struct Nothing {};

// What a task answers.
struct TaskAnswer {
  bool succeeded = true;
  std::string output;        // JSON text, when succeeded.
  std::string error, cause;  // When not: what Retry and Catch match.
  std::optional<std::chrono::milliseconds> retry_after;

  static TaskAnswer ok(std::string output_json);
  static TaskAnswer fail(std::string error, std::string cause = {});
};

// How a task's function may be run.
struct TaskOptions {
  // It does not block and takes microseconds: it runs on the lane's own thread.  Otherwise it runs
  // on a thread of the engine's pool.
  bool quick = false;
  // The embedder promises that the function changes nothing outside of itself: its answer is all
  // that comes of a run.  Then the engine may run it before the state that asks for it is durable,
  // and again, and may forget what a run came to: after a crash, when the name of the start was
  // taken, when the store refuses an answer.  The answer that counts is written to the journal as
  // that of any other task; no caller, and no task that is not pure, sees one that is not durable.
  // Together with `quick` such a task runs while the start of its execution is being written, and
  // an execution of such tasks only is one commit, from its start to its end.  For a task that is
  // not quick it makes no difference yet.
  bool pure = false;
};

struct TaskInput {
  std::string input;            // JSON text.
  std::string idempotency_key;  // The same for every run of the same work.
  std::string execution;
  std::uint32_t attempt = 1;
  // Says that the work goes on, for a state with HeartbeatSeconds.  Any thread; never empty.
  std::function<void()> heartbeat;
};

struct StartOptions {
  std::string name;  // The same name and input again answers the same execution.  Default: its id.
  std::vector<std::string> tags = {};
  std::string redrive_of = {};  // Id of an execution whose failed part this one runs again.
};

struct StartedExecution {
  std::string id;
  bool existed = false;  // A start of that name with the same input was there already.
};

struct ExecutionView {
  std::string id, workflow, name, status;  // RUNNING SUCCEEDED FAILED TIMED_OUT ABORTED
  std::string input, output;               // JSON text; output only when SUCCEEDED.
  std::optional<std::string> error, cause;
  std::string started_at, ended_at;  // RFC 3339; ended_at empty while running.
  std::uint32_t redrive_count = 0;
  std::string waiting;      // JSON summary of what it waits for, when known.
  std::string quarantined;  // Why it is kept from running, or empty.
};

struct HistoryPlace {
  // "file:line:column" of the state that an event is about; of a failure the state or expression
  // that failed, as far into it as is known.  Empty where there is none.
  std::string where;
  // That an expression failed over: JSON, of a long one the beginning and "...".  Mostly empty.
  std::string value;
};

struct HistoryPage {
  std::vector<std::string> events;   // Each the JSON of one Step Functions history event.
  std::vector<HistoryPlace> places;  // Of each event.
  std::string next;                  // Token of the next page; empty at the end.
};

struct HistoryOptions {
  std::string next;
  unsigned limit = 1000;
  bool newest_first = false;
};

namespace runtime {
class AsyncEngine;
}

class Engine {
 public:
  static Answer<std::unique_ptr<Engine>> open(const Options& options);
  // The product's own programs: a face of an engine that they made.
  explicit Engine(std::shared_ptr<runtime::AsyncEngine> engine);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Serves a resource name with a function.
  void task(const std::string& resource, std::function<TaskAnswer(const TaskInput&)> function,
            const TaskOptions& options = {});

  // Compiles and stores a workflow.  On diagnostics: kInvalid and their full text.
  Answer<std::string> deploy_text(const std::string& name, const std::string& yaml_or_json);
  Answer<std::string> deploy_file(const std::string& path);

  Answer<Nothing> run();  // Starts lanes, committers, keeper.
  void stop();            // Graceful; idempotent.
  // kOk while it runs and the database does its part, as far as is known by now; never blocks.
  Answer<Nothing> ready() const;

  // kUnavailable: the database is away, or has not answered within ten seconds.  Then it may start
  // yet; the same name again is safe.
  Answer<StartedExecution> start(const std::string& workflow, const std::string& input_json,
                                 const StartOptions& options = {});
  Answer<ExecutionView> describe(const std::string& id);
  // Until it has ended or is quarantined; kTimeout, with the view of now, when the time is over.
  Answer<ExecutionView> wait(const std::string& id, std::chrono::milliseconds at_most);
  Answer<std::vector<ExecutionView>> list(const std::string& workflow, const std::string& status,
                                          unsigned limit, const std::string& before = {});
  Answer<HistoryPage> history(const std::string& id, const HistoryOptions& options = {});
  Answer<Nothing> stop_execution(const std::string& id, const std::string& error,
                                 const std::string& cause);
  Answer<Nothing> redrive(const std::string& id);

 private:
  const std::shared_ptr<runtime::AsyncEngine> engine_;
};

}  // namespace stepwell
