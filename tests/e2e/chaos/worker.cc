#include "tests/e2e/chaos/worker.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "engine/postgres/reconnects.h"
#include "engine/runtime/blocking_engine.h"
#include "stepwell/engine.h"
#include "tests/e2e/chaos/plan.h"

namespace stepwell::chaos {
namespace {

// What the runtime counted since the last look, into the tally that outlives us.
class Reporter {
 public:
  Reporter(const runtime::Counters& counters, Tally& tally) : counters_(counters), tally_(tally) {}

  void report() {
    add(tally_.marked_by_evidence, counters_.marked_by_evidence, evidence_);
    add(tally_.marked_by_lease, counters_.marked_by_lease, lease_);
    add(tally_.executions_freed, counters_.freed, freed_);
    add(tally_.fenced, counters_.fenced, fenced_);
    add(tally_.journals_folded, counters_.folded, folded_);
    const postgres::Reconnects& reconnects = postgres::reconnects();
    add(tally_.reconnected, reconnects.reconnected, reconnected_);
    add(tally_.batch_landed, reconnects.had_landed, landed_);
    add(tally_.batch_sent_again, reconnects.sent_again, sent_again_);
  }

 private:
  static void add(Tally::Count& to, const runtime::Counters::Count& from, std::uint64_t& before) {
    const std::uint64_t now = from;
    to += now - std::exchange(before, now);
  }

  const runtime::Counters& counters_;
  Tally& tally_;
  std::uint64_t evidence_ = 0, lease_ = 0, freed_ = 0, fenced_ = 0, folded_ = 0;
  std::uint64_t reconnected_ = 0, landed_ = 0, sent_again_ = 0;
};

}  // namespace

void work(const WorkerOptions& options, Tally& tally) {
  Options engine_options;
  engine_options.database_url = options.database_url;
  engine_options.label = "chaos-" + std::to_string(options.number);
  engine_options.lanes = 1;
  engine_options.lease = kLease;
  // The database may be away just now.
  Answer<std::unique_ptr<runtime::BlockingEngine>> opened;
  do {
    opened = runtime::BlockingEngine::open(engine_options);
    if (opened) {
      for (const char* task : kTasks) {
        opened.value->task(task,
                           [task](const TaskInput& input) {
                             const TaskAnswerPlan plan = run_task(task, input.input, input.attempt);
                             return plan.fails ? TaskAnswer::fail(plan.error)
                                               : TaskAnswer::ok(plan.output);
                           },
                           {.quick = true});
      }
      if (!opened.value->run()) opened.code = Code::kUnavailable;
    }
    poll(nullptr, 0, 50);
  } while (!opened && getppid() != 1);
  Reporter reporter(opened.value->async().counters(), tally);
  while (getppid() != 1) {
    poll(nullptr, 0, 10);
    reporter.report();
  }
  _exit(0);
}

}  // namespace stepwell::chaos
