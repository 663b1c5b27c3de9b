#include "tests/e2e/chaos/verdict.h"

#include <fmt/core.h>

#include "dsl/dsl.h"
#include "engine/step/step.h"

namespace stepwell::chaos {
namespace {

constexpr std::uint32_t kJournalPage = 1000;
constexpr std::size_t kExamples = 10;

class Judge {
 public:
  explicit Judge(store::Store& store) : store_(store) {}

  Status look_at(const Expected& expected) {
    ++verdict.checked;
    const std::string who = expected.workflow + "/" + expected.name;
    auto found = TRY(store_.find(Namespace(), expected.workflow, expected.name));
    if (!found) return count(verdict.lost, who + ": there is no such execution");
    if (!expected.id.empty() && found->text() != expected.id) {
      return count(verdict.lost,
                   who + ": acknowledged as " + expected.id + ", is " + found->text());
    }
    const store::ExecutionRow row = TRY(store_.describe(Namespace(), *found));
    if (row.status == ExecutionStatus::kRunning) {
      return count(verdict.stuck, fmt::format("{} {}: still running; waiting: {} quarantined: {}",
                                              who, row.id.text(), row.waiting, row.quarantined));
    }
    const std::string right = fmt::format(R"({{"v":{}}})", expected.result);
    if (row.output != right) {
      TRY(count(verdict.wrong, fmt::format("{} {}: {} {}, expected {}", who, row.id.text(),
                                           to_string(row.status), row.output, right)));
    }
    return fold(row, who);
  }

  Verdict verdict;

 private:
  Status count(std::uint64_t& counter, const std::string& example) {
    ++counter;
    if (verdict.examples.size() < kExamples) verdict.examples.push_back(example);
    return ok_status();
  }

  Result<ProgramRef> program(const std::string& hash) {
    ProgramRef& program = programs_[hash];
    if (!program) {
      const store::StoredProgram stored = TRY(store_.program_by_hash(Namespace(), hash));
      program = dsl::compile(stored.definition).program;
      if (!program)
        return Error{ErrorCode::kInternal, "a stored program does not compile: " + hash};
    }
    return program;
  }

  Status fold(const store::ExecutionRow& row, const std::string& who) {
    const ProgramRef compiled = TRY(program(row.program_hash));
    Execution execution;
    std::vector<Command> commands;
    std::uint64_t after = 0;
    for (;;) {
      const auto page = TRY(store_.journal(Namespace(), row.id, after, kJournalPage));
      for (const store::JournalRow& fact : page) {
        if (fact.seq != after + 1) {
          return count(verdict.mismatched, fmt::format("{}: fact {} is missing", who, after + 1));
        }
        after = fact.seq;
        FactBody body = TRY(decode_payload(fact.kind, fact.payload, store::names_of(row)));
        const bool changed =
            step(*compiled, execution,
                 Fact{fact.command, fact.at, fact.input_hash, std::move(body)}, commands);
        if (!changed) {
          return count(verdict.duplicate, fmt::format("{}: fact {} ({}) answers nothing", who,
                                                      fact.seq, fact_name(fact.kind)));
        }
        commands.clear();
      }
      if (page.size() < kJournalPage) break;
    }
    if (execution.status != row.status || execution.output.to_json() != row.output) {
      return count(
          verdict.mismatched,
          fmt::format("{}: the row says {} {}, the fold {} {}", who, to_string(row.status),
                      row.output, to_string(execution.status), execution.output.to_json()));
    }
    return ok_status();
  }

  store::Store& store_;
  std::map<std::string, ProgramRef> programs_;
};

}  // namespace

Result<Verdict> judge(store::Store& store, const std::vector<Expected>& expected) {
  Judge judge(store);
  for (const Expected& one : expected) TRY(judge.look_at(one));
  return std::move(judge.verdict);
}

}  // namespace stepwell::chaos
