// What is behind stepwell::Engine.  Only engine*.cc includes this.
#pragma once

#include <stepwell/engine.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "engine/runtime/history.h"
#include "engine/runtime/programs.h"
#include "engine/runtime/runtime.h"
#include "engine/task/native_tasks.h"

namespace stepwell {

struct Engine::Parts {
  Parts(std::shared_ptr<store::Store> the_store, const Options& the_options,
        const runtime::Settings& the_settings);

  Options options;
  runtime::Settings settings;
  Namespace ns;
  std::shared_ptr<store::Store> store;
  runtime::Programs programs;
  runtime::HistoryReaders history;
  std::shared_ptr<runtime::NativeTasks> natives = std::make_shared<runtime::NativeTasks>();
  std::vector<runtime::HandlerFactory> factories;
  std::vector<std::string> resources;         // Of the attached handlers.
  std::unique_ptr<runtime::Runtime> runtime;  // From run() to the destructor.
  std::atomic<bool> is_running{false};

  Result<runtime::Beginning> prepare_start(const std::string& workflow, const std::string& input,
                                           const StartOptions& start);
  Result<Time> now();
  std::vector<std::string> known_resources() const;
};

namespace runtime {

// Into the engine's private parts, for attach.h.
struct EngineDoor {
  static Engine::Parts& parts(Engine& engine) { return *engine.parts_; }
  static std::unique_ptr<Engine> make(std::unique_ptr<Engine::Parts> parts) {
    return std::unique_ptr<Engine>(new Engine(std::move(parts)));
  }
};

}  // namespace runtime

Code code_of(ErrorCode code);

template <class T>
Answer<T> failed(const Error& error) {
  return {{}, code_of(error.code), error.message};
}

}  // namespace stepwell
