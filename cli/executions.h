// Executions — what the commands ask of an engine: over the API of a server, or of an engine of
// this process's own on a database.
//
// Every call blocks, and answers as stepwell::Engine does; kUnavailable names the URL that is away.
// Thread-safety: the main thread only.
#pragma once

#include <stepwell/engine.h>

#include <memory>
#include <string>
#include <vector>

namespace stepwell::cli {

struct ListQuestion {
  std::string workflow, status;  // Empty: all.
  unsigned limit = 50;
  std::string before;  // Only executions older than this id.
};

class Executions {
 public:
  virtual ~Executions() = default;
  virtual Answer<StartedExecution> start(const std::string& workflow, const std::string& input_json,
                                         const StartOptions& options) = 0;
  virtual Answer<ExecutionView> describe(const std::string& id) = 0;
  virtual Answer<std::vector<ExecutionView>> list(const ListQuestion& question) = 0;
  virtual Answer<HistoryPage> history(const std::string& id, const HistoryOptions& options) = 0;
  // As Engine::wait: kTimeout, with the view of now, when the time is over.
  virtual Answer<ExecutionView> wait(const std::string& id, std::chrono::milliseconds at_most) = 0;
  virtual Answer<Nothing> stop(const std::string& id, const std::string& error,
                               const std::string& cause) = 0;
  virtual Answer<Nothing> redrive(const std::string& id) = 0;
};

// `url` is that of a server; `token` is sent as a bearer's when it is not empty.
std::unique_ptr<Executions> executions_over_api(std::string url, std::string token);
std::unique_ptr<Executions> executions_of(std::unique_ptr<Engine> engine);

}  // namespace stepwell::cli
