// Two stores, one story: the same random operations of three lanes on MemoryStore and on Postgres,
// under one clock, with every answer and every table compared.
//
//   Differential world(seed);
//   EXPECT_EQ(world.run(1000), "");
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "engine/postgres/link.h"
#include "engine/postgres/postgres.h"
#include "engine/store/memory_store.h"

namespace stepwell::testing {

class Differential {
 public:
  // Everything that happens follows from the seed.  `every`: how many operations lie between two
  // comparisons of the tables.
  Differential(std::uint64_t seed, int every);
  ~Differential();

  // The first difference, with the operation that showed it; empty: there was none.
  std::string run(int operations);
  // What the operations came to, for a test that wants to know that none was left out.
  const std::vector<std::pair<std::string, std::uint64_t>>& counts() const { return counts_; }

 private:
  struct Lane {
    std::unique_ptr<store::Session> memory, postgres;
    std::uint64_t number = 0;
  };
  struct Process {
    std::unique_ptr<store::Node> memory;
    std::int64_t evidence = 0;
    Uuid id;
    Lane lane;
    int stalled = 0;  // For so many operations its heartbeat does not come through.
  };

  void begin();
  std::string operate();
  void join(Process& process);
  bool open(Process& process);
  void kill(Process& process);
  void renew(Process& process);
  std::string renewal(const Process& process) const;  // As a statement.
  std::string clock() const;

  std::string start();
  std::string commit(Process& process);
  std::string claim(Process& process);
  std::string deliver();
  std::string sweep();
  std::string look(const Process& process);
  std::string read();
  std::string close(Process& process);
  void cut(Process& process);
  void snapshot();
  void notice();
  void make_slice();
  void deploy();

  store::Start random_start();
  void add_to(store::Batch& batch, const Process& process, ExecutionId id);
  ExecutionId any_execution();
  std::uint64_t below(std::uint64_t limit) { return random_.next() % limit; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  void count(const std::string& what);
  std::string compare_tables();
  void sql(const std::string& text);

  Random random_;
  const int every_;
  std::int64_t now_ms_ = 0;
  postgres::PgOptions options_;
  std::unique_ptr<postgres::Link> control_;
  std::unique_ptr<store::Store> postgres_;
  std::unique_ptr<store::MemoryStore> memory_;
  std::vector<Process> processes_;
  std::vector<store::Start> started_;
  std::uint64_t ids_ = 0, evidence_ = 0;
  std::vector<std::pair<std::string, std::uint64_t>> counts_;
};

}  // namespace stepwell::testing
