#include "engine/runtime/backlog.h"

#include <iterator>

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

}  // namespace

void append(store::Batch& to, store::Batch&& from) {
  append_moved(to.starts, from.starts);
  append_moved(to.facts, from.facts);
  append_moved(to.finishes, from.finishes);
  append_moved(to.parks, from.parks);
  append_moved(to.waitings, from.waitings);
  append_moved(to.quarantines, from.quarantines);
  append_moved(to.consumed, from.consumed);
  append_moved(to.released, from.released);
}

void append(Chunk& to, Chunk&& from) {
  append(to.batch, std::move(from.batch));
  append_moved(to.answers, from.answers);
  to.bytes += from.bytes;
}

}  // namespace stepwell::runtime
