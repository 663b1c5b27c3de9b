// HistoryReader — Step Functions histories, page by page, folded from the journal.
//
// A page's token names the fact and the event from which the next one goes on, so reading begins at
// the nearest snapshot; the last few readers' places are remembered, so that reading on costs
// nothing that was done before.
// Thread-safety: any thread may call.  read() blocks: the engine has a pool of threads for it.
#pragma once

#include <stepwell/engine.h>

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/sync/mutex.h"
#include "engine/runtime/programs.h"
#include "engine/step/step.h"
#include "engine/store/store.h"

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

class HistoryReader {
 public:
  HistoryReader(store::Store& store, Programs& programs) : store_(store), programs_(programs) {}

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
    std::string workflow, name;
    std::string token;  // That leads here.
    ProgramRef program;
    std::uint64_t seq = 0;
    Execution x;
    std::deque<Told> ahead;  // Events that nobody has read yet.
  };

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
  Mutex mutex_;
  std::deque<Place> places_ GUARDED_BY(mutex_);  // The newest first.
};

}  // namespace stepwell::runtime
