#include "cli/executions.h"

#include <utility>

namespace stepwell::cli {
namespace {

class OfEngine final : public Executions {
 public:
  explicit OfEngine(std::unique_ptr<Engine> engine) : engine_(std::move(engine)) {}

  Answer<StartedExecution> start(const std::string& workflow, const std::string& input_json,
                                 const StartOptions& options) override {
    return engine_->start(workflow, input_json, options);
  }
  Answer<ExecutionView> describe(const std::string& id) override { return engine_->describe(id); }
  Answer<std::vector<ExecutionView>> list(const ListQuestion& question) override {
    return engine_->list(question.workflow, question.status, question.limit, question.before);
  }
  Answer<HistoryPage> history(const std::string& id, const HistoryOptions& options) override {
    return engine_->history(id, options);
  }
  Answer<ExecutionView> wait(const std::string& id, std::chrono::milliseconds at_most) override {
    return engine_->wait(id, at_most);
  }
  Answer<Nothing> stop(const std::string& id, const std::string& error,
                       const std::string& cause) override {
    return engine_->stop_execution(id, error, cause);
  }
  Answer<Nothing> redrive(const std::string& id) override { return engine_->redrive(id); }

 private:
  std::unique_ptr<Engine> engine_;
};

}  // namespace

std::unique_ptr<Executions> executions_of(std::unique_ptr<Engine> engine) {
  return std::make_unique<OfEngine>(std::move(engine));
}

}  // namespace stepwell::cli
