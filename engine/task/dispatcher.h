// Dispatcher — from a resource's name to the handler that serves it, in one lane.
//
// Belongs to its lane's thread.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/task/task.h"

namespace stepwell::runtime {

class Dispatcher {
 public:
  void add(std::shared_ptr<TaskHandler> handler) { handlers_.push_back(std::move(handler)); }

  // Nullptr: nobody here serves it.  The first that was added wins.
  TaskHandler* find(const std::string& resource) { return served(resource).handler; }
  // Nullptr: nobody here serves it as a pure task.
  TaskHandler* find_pure(const std::string& resource) {
    const Served found = served(resource);
    return found.is_pure ? found.handler : nullptr;
  }
  void clear() {
    known_.clear();
    handlers_.clear();
  }

 private:
  struct Served {
    TaskHandler* handler = nullptr;
    bool is_pure = false;
  };
  Served served(const std::string& resource) {
    const auto known = known_.find(resource);
    if (known != known_.end()) return known->second;
    for (const auto& handler : handlers_) {
      if (!handler->serves(resource)) continue;
      return known_[resource] = {handler.get(), handler->is_pure(resource)};
    }
    return {};
  }

  std::vector<std::shared_ptr<TaskHandler>> handlers_;
  std::unordered_map<std::string, Served> known_;
};

}  // namespace stepwell::runtime
