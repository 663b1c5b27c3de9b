// Programs — compiled workflows by hash, and which one a name means now.
//
// Any thread may call; get() and current() may ask the store, so not on a lane.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/namespace.h"
#include "base/result.h"
#include "base/sync/mutex.h"
#include "engine/store/store.h"
#include "language/program/program.h"

namespace stepwell::runtime {

class Programs {
 public:
  Programs(store::Store& store, const Clock& clock) : store_(store), clock_(clock) {}

  // By hash; built from what is stored when it is not here yet.  kUnavailable: the store
  // is away, or a newer Stepwell deployed it; its executions are for others, and not broken.
  Result<ProgramRef> get(const Namespace& ns, const std::string& hash);
  // What a start of that workflow runs.  May lag behind other processes' deploys by kStaleMs, and
  // for as long as the store does not answer.
  Result<ProgramRef> current(const Namespace& ns, const std::string& workflow);
  // The same without asking: what is known, and for how long.  `program` is null when nothing is;
  // `missing` is the store's answer that there is none, if it gave it less than kStaleMs ago.
  struct Known {
    ProgramRef program;
    std::int64_t age_ms = 0;
    std::optional<Error> missing;
  };
  Known known(const Namespace& ns, const std::string& workflow);
  // Asks the store, whatever is known.  When it does not answer, what is known holds for another
  // kStaleMs.
  Result<ProgramRef> ask(const Namespace& ns, const std::string& workflow);
  // A deploy of this process.
  void put(const Namespace& ns, const std::string& workflow, const ProgramRef& program);

  static constexpr std::int64_t kStaleMs = 250;
  static constexpr std::size_t kMostMissing = 256;  // Names that are remembered to be missing.

 private:
  using Key = std::pair<Namespace, std::string>;
  struct Current {
    ProgramRef program;
    std::int64_t asked_ms = 0;
    std::uint64_t puts = 0;  // Deploys of this process.
  };
  struct Missing {
    std::int64_t asked_ms = 0;
    Error error;
  };
  Result<ProgramRef> without_answer(const Key& key, const Error& error);

  store::Store& store_;
  const Clock& clock_;
  Mutex mutex_;
  std::map<Key, ProgramRef> by_hash_ GUARDED_BY(mutex_);
  std::map<Key, Current> current_ GUARDED_BY(mutex_);
  std::map<Key, Missing> missing_ GUARDED_BY(mutex_);
};

}  // namespace stepwell::runtime
