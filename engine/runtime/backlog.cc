#include "engine/runtime/backlog.h"

#include <iterator>

#include "engine/store/batch_parts.h"

namespace stepwell::runtime {
namespace {

template <class T>
void append_moved(std::vector<T>& to, std::vector<T>& from) {
  if (to.empty()) {
    to.swap(from);
    return;
  }
  to.insert(to.end(), std::make_move_iterator(from.begin()), std::make_move_iterator(from.end()));
  from.clear();
}

// A batch tells once for what an execution waits: the newer summary replaces the one that the
// database, slow or away, has not got yet.
void drop_older(std::vector<store::WaitingRow>& older,
                const std::vector<store::WaitingRow>& newer) {
  if (older.empty() || newer.empty()) return;
  store::ExecutionSet told;
  for (const store::WaitingRow& row : newer) told.insert(row.execution);
  std::erase_if(older, [&](const store::WaitingRow& row) { return told.contains(row.execution); });
}

}  // namespace

void append(store::Batch& to, store::Batch&& from) {
  drop_older(to.waitings, from.waitings);
  store::Batch::for_each_group([&](auto group) { append_moved(to.*group, from.*group); });
}

void append(Chunk& to, Chunk&& from) {
  append(to.batch, std::move(from.batch));
  append_moved(to.answers, from.answers);
  to.bytes += from.bytes;
}

}  // namespace stepwell::runtime
