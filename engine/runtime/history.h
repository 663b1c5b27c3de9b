// HistoryReaders — Step Functions histories, page by page, folded on threads of their own.
//
// A page's token names the fact and the event from which the next one goes on, so reading begins at
// the nearest snapshot; the last few readers' places are remembered, so that reading on costs
// nothing that was done before.
// Any thread may call; read() blocks.
#pragma once

#include <stepwell/engine.h>

#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/runtime/programs.h"
#include "engine/step/step.h"
#include "engine/store/store.h"
#include "engine/task/thread_pool.h"

namespace stepwell::runtime {

struct EventPage {
  std::vector<HistoryEvent> events;
  std::vector<HistoryPlace> places;  // Of each.
  std::string next;                  // Empty at the end.
};

struct PageRequest {
  std::string token;  // Empty: the first page.
  std::size_t limit = 1000;
  bool newest_first = false;
};

class HistoryReaders {
 public:
  HistoryReaders(store::Store& store, Programs& programs) : store_(store), programs_(programs) {}

  Result<EventPage> read(const Namespace& ns, ExecutionId id, const PageRequest& request);

 private:
  struct Told {
    HistoryEvent event;
    std::uint64_t seq = 0;  // Of the fact that gave it.
  };
  // Between two facts of an execution.
  struct Place {
    Namespace ns;
    ExecutionId id;
    std::string token;  // That leads here.
    ProgramRef program;
    std::uint64_t seq = 0;
    Execution x;
    std::deque<Told> ahead;  // Events that nobody has read yet.
  };

  Result<EventPage> read_here(const Namespace& ns, ExecutionId id, const PageRequest& request);
  Result<EventPage> read_forwards(const Namespace& ns, ExecutionId id, const PageRequest& request);
  Result<EventPage> read_backwards(const Namespace& ns, ExecutionId id, const PageRequest& request);
  Result<Place> place_before(const Namespace& ns, ExecutionId id, std::uint64_t at_most);
  // Folds one page of facts, up to `up_to`; `tell` is called with each event.
  // False: there are no more.
  template <class Tell>
  Result<bool> fold_some(Place& place, std::uint64_t up_to, Tell&& tell);
  void remember(Place place);
  bool recall(const Namespace& ns, ExecutionId id, const std::string& token, Place& place);

  store::Store& store_;
  Programs& programs_;
  std::mutex mutex_;
  std::deque<Place> places_;  // Guarded by mutex_; the newest first.
  ThreadPool workers_{2};     // Last: ends first.
};

}  // namespace stepwell::runtime
