// A durable workflow inside this process: the task is a C++ function, the rest is in PostgreSQL.
//
//   STEPWELL_DATABASE_URL=postgresql:///app ./embedded
#include <stepwell/engine.h>

#include <cstdio>
#include <cstdlib>

constexpr const char* kWorkflow = R"(
StartAt: Charge
States:
  Charge:
    Type: Task
    Resource: bank.charge
    Retry: [{ErrorEquals: [Bank.Busy], IntervalSeconds: 1, MaxAttempts: 3}]
    ResultPath: $.receipt
    End: true
)";

int fail(const std::string& why) {
  std::fprintf(stderr, "%s\n", why.c_str());
  return 1;
}

int main() {
  stepwell::Options options;
  const char* url = std::getenv("STEPWELL_DATABASE_URL");
  options.database_url = url == nullptr ? "memory:" : url;
  options.migrate = true;
  auto engine = stepwell::Engine::open(options);
  if (!engine) return fail(engine.error);

  // Runs at least once; the key is the same each time, so the bank can tell a repeat.
  engine.value->task("bank.charge", [](const stepwell::TaskInput& task) {
    if (task.attempt == 1) return stepwell::TaskAnswer::fail("Bank.Busy", "try again");
    return stepwell::TaskAnswer::ok("\"r-" + task.idempotency_key.substr(0, 4) + "\"");
  });
  if (auto running = engine.value->run(); !running) return fail(running.error);
  if (auto ok = engine.value->deploy_text("charge", kWorkflow); !ok) return fail(ok.error);

  // The same name again, even after a crash of this process, answers the same execution.
  auto started = engine.value->start("charge", R"({"amount": 7})", {.name = "order-1"});
  if (!started) return fail(started.error);
  auto end = engine.value->wait(started.value.id, std::chrono::seconds(30));
  if (!end) return fail(end.error);
  std::printf("%s %s\n", end.value.status.c_str(), end.value.output.c_str());
  return end.value.status == "SUCCEEDED" ? 0 : 1;
}
