// BlockingEngine — stepwell::Engine, and the AsyncEngine that it waits for: for the product's own
// programs (tests, benches) that need both.
#pragma once

#include <stepwell/engine.h>

#include <memory>
#include <utility>

#include "engine/runtime/async_engine.h"

namespace stepwell::runtime {

class BlockingEngine : public Engine {
 public:
  explicit BlockingEngine(std::shared_ptr<AsyncEngine> engine)
      : Engine(engine), async_(std::move(engine)) {}

  static Answer<std::unique_ptr<BlockingEngine>> open(const Options& options) {
    auto opened = AsyncEngine::open(options);
    if (!opened) return {nullptr, opened.code, opened.error};
    return {std::make_unique<BlockingEngine>(std::move(opened.value)), Code::kOk, {}};
  }

  AsyncEngine& async() { return *async_; }

 private:
  const std::shared_ptr<AsyncEngine> async_;
};

}  // namespace stepwell::runtime
