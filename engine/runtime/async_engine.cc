// AsyncEngine: opening, tasks, running, deploying.
#include "engine/runtime/async_engine.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/check.h"
#include "dsl/dsl.h"
#include "engine/postgres/postgres.h"
#include "engine/runtime/async_parts.h"

namespace stepwell::runtime {
namespace {

constexpr const char* kMemory = "memory:";
constexpr unsigned kApiThreads = 4;  // Each has a connection while it asks.
constexpr unsigned kHistoryThreads = 2;
constexpr unsigned kDeliveryThreads = 2;
// Who reads long histories leaves the cores to who starts executions: both threads together take
// less than half of one.
constexpr int kHistoryRests = 4;

std::string default_label() {
  char host[256] = "localhost";
  gethostname(host, sizeof host - 1);
  return fmt::format("{}:{}", host, getpid());
}

Result<std::shared_ptr<store::Store>> open_store(const Options& options, const std::string& label) {
  if (options.database_url == kMemory) {
    return std::shared_ptr<store::Store>(store::make_memory_store());
  }
  if (options.database_url.empty()) {
    return Error{ErrorCode::kInvalid,
                 "no database is named: give postgresql://..., or memory: for a trial"};
  }
  const postgres::PgOptions pg{
      .url = options.database_url, .label = label, .is_unsafe = options.unsafe};
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

Answer<std::string> deploy_now(store::Store& store, Programs& programs, const Namespace& ns,
                               std::vector<std::string> known_resources,
                               const DeployRequest& request) {
  dsl::Compiled compiled = dsl::compile(
      request.text, {.file = request.file, .known_resources = std::move(known_resources)});
  if (!compiled.ok()) return {{}, Code::kInvalid, render_all(compiled.diagnostics, request.text)};
  const auto stored = store.put_program(ns, {.hash = compiled.program->hash,
                                             .workflow = request.workflow,
                                             .source = request.text,
                                             .definition = compiled.program->definition.to_json(),
                                             .file = request.file});
  if (!stored.ok()) {
    return failed<std::string>(stored.error().while_doing("deploying " + request.workflow));
  }
  programs.put(ns, request.workflow, compiled.program);
  return {compiled.program->hash, Code::kOk, {}};
}

}  // namespace

AsyncEngine::Parts::Parts(std::shared_ptr<store::Store> the_store, const Options& the_options,
                          const Settings& the_settings)
    : options(the_options),
      settings(the_settings),
      store(std::move(the_store)),
      history_threads(kHistoryThreads, settings.most_histories_waiting, kHistoryRests),
      api_threads(kApiThreads, settings.most_questions_waiting),
      delivery_threads(kDeliveryThreads, settings.most_questions_waiting),
      waits([this](const Namespace& ns, ExecutionId id, Waits::OnRow told) {
        return read_row(ns, id, std::move(told));
      }) {}

// What still waits is answered while everything is there; then the lanes' remains go.
AsyncEngine::Parts::~Parts() {
  waits.stop();
  api_threads.stop();
  delivery_threads.stop();
  history_threads.stop();
  lookup.stop();
}

AsyncEngine::AsyncEngine(std::shared_ptr<store::Store> store, const Options& options,
                         const Settings& settings)
    : parts_(std::make_unique<Parts>(std::move(store), options, settings)) {}

AsyncEngine::~AsyncEngine() { stop(); }

Answer<std::unique_ptr<AsyncEngine>> AsyncEngine::open(const Options& options) {
  Settings settings;
  settings.label = options.label.empty() ? default_label() : options.label;
  settings.lease = options.lease;
  settings.lanes =
      options.lanes != 0 ? options.lanes : std::max(1u, std::thread::hardware_concurrency());
  auto store = open_store(options, settings.label);
  if (!store.ok()) return failed<std::unique_ptr<AsyncEngine>>(store.error());
  return {std::make_unique<AsyncEngine>(std::move(*store), options, settings), Code::kOk, {}};
}

void AsyncEngine::add_task(const std::string& resource,
                           std::function<TaskAnswer(const TaskInput&)> function,
                           const TaskOptions& options) {
  parts_->natives->add(resource, std::move(function), options);
}

void AsyncEngine::add_handlers(HandlerFactory make, const std::vector<std::string>& resources) {
  parts_->factories.push_back(std::move(make));
  parts_->resources.insert(parts_->resources.end(), resources.begin(), resources.end());
}

std::vector<std::string> AsyncEngine::known_resources() const {
  std::vector<std::string> names = parts_->natives->resources();
  names.insert(names.end(), parts_->resources.begin(), parts_->resources.end());
  std::sort(names.begin(), names.end());
  return names;
}

Answer<Nothing> AsyncEngine::run() {
  Parts& parts = *parts_;
  if (parts.runtime != nullptr) return {{}, Code::kConflict, "the engine ran already"};
  std::vector<HandlerFactory> factories = parts.factories;
  factories.push_back([natives = parts.natives](loop::Loop&, unsigned) { return natives; });
  parts.runtime = std::make_unique<Runtime>(*parts.store, parts.programs, parts.settings);
  if (const Status status = parts.runtime->run(factories); !status.ok()) {
    parts.runtime.reset();
    return failed<Nothing>(status.error());
  }
  parts.waits.use(parts.runtime->ends());
  const MutexLock lock(parts.running_mutex);
  parts.is_running = true;
  return {};
}

void AsyncEngine::stop() {
  const MutexLock stopping(parts_->stop_mutex);  // Two that stop at once both wait for the end.
  if (parts_->is_stopped.exchange(true)) return;
  parts_->waits.stop();
  parts_->lookup.stop();
  {
    const MutexLock lock(parts_->running_mutex);
    if (!std::exchange(parts_->is_running, false)) return;
  }
  parts_->runtime->stop();
  parts_->natives->stop();
}

Answer<Nothing> AsyncEngine::ready() const {
  std::string trouble = "the engine does not run";
  parts_->with_runtime([&](Runtime& runtime) { trouble = runtime.trouble(); });
  if (!trouble.empty()) return {{}, Code::kUnavailable, trouble};
  return {};
}

const Counters& AsyncEngine::counters() const {
  CHECK(parts_->runtime != nullptr, "counters() before run()");
  return parts_->runtime->counters();
}

Millis AsyncEngine::start_deadline() const { return parts_->settings.start_deadline; }

store::Store& AsyncEngine::store() const { return *parts_->store; }

void AsyncEngine::deploy(const Namespace& ns, DeployRequest request, OnAnswer<std::string> told) {
  if (request.workflow.empty()) return told({{}, Code::kInvalid, "a workflow needs a name"});
  parts_->ask<std::string>(
      parts_->api_threads,
      [parts = parts_.get(), ns, known = known_resources(), request = std::move(request)] {
        return deploy_now(*parts->store, parts->programs, ns, known, request);
      },
      std::move(told));
}

bool AsyncEngine::when_released(const Namespace& ns, const std::string& id,
                                std::function<void()> told) {
  const auto execution = parse_id(id);
  if (!execution.ok()) return false;
  std::uint64_t waiter = 0;
  parts_->with_runtime([&](Runtime& runtime) {
    waiter = runtime.ends().when_released(ns, *execution,
                                          [told = std::move(told)](const EndedRow&) { told(); });
  });
  return waiter != 0;
}

}  // namespace stepwell::runtime
