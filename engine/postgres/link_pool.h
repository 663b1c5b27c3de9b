// LinkPool — connections for callers that hold none: borrowed for a statement, kept for the next.
// Thread-safe.
#pragma once

#include <memory>
#include <vector>

#include "base/sync/mutex.h"
#include "engine/postgres/link.h"

namespace stepwell::postgres {

class LinkPool {
 public:
  LinkPool(PgOptions options, LinkPurpose purpose)
      : options_(std::move(options)), purpose_(std::move(purpose)) {}

  // Runs `use(link)`, which answers an Answer.  When a connection that had been lying idle turns
  // out to be broken, or the server is busy with a deadlock, it is run once more: so `use` must be
  // safe to repeat.
  template <class Use>
  Result<Answer> with_link(const Use& use) {
    for (int attempt = 0;; ++attempt) {
      std::unique_ptr<Link> link = TRY(attempt == 0 ? borrow() : fresh());
      Answer answer = use(*link);
      const bool again = !answer.ok() && (answer.trouble().kind == Trouble::Kind::kLost ||
                                          answer.trouble().kind == Trouble::Kind::kBusy);
      if (!link->is_lost()) give_back(std::move(link));
      if (!again || attempt > 0) return answer;
    }
  }

  Result<Answer> run(const char* sql, const Parameters& parameters = {}) {
    return with_link([&](Link& link) { return link.run(sql, parameters); });
  }

  Result<std::unique_ptr<Link>> fresh() { return Link::open(options_, purpose_); }

 private:
  static constexpr std::size_t kKept = 32;  // As many as callers at once, of the server's 100.

  Result<std::unique_ptr<Link>> borrow() {
    {
      const MutexLock lock(mutex_);
      if (!idle_.empty()) {
        std::unique_ptr<Link> link = std::move(idle_.back());
        idle_.pop_back();
        return link;
      }
    }
    return fresh();
  }

  void give_back(std::unique_ptr<Link> link) {
    const MutexLock lock(mutex_);
    if (idle_.size() < kKept) idle_.push_back(std::move(link));
  }

  PgOptions options_;
  LinkPurpose purpose_;
  Mutex mutex_;
  std::vector<std::unique_ptr<Link>> idle_ GUARDED_BY(mutex_);
};

}  // namespace stepwell::postgres
