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
  store::Batch::for_each_group([&](auto group) { append_moved(to.*group, from.*group); });
}

void append(Chunk& to, Chunk&& from) {
  append(to.batch, std::move(from.batch));
  append_moved(to.answers, from.answers);
  to.bytes += from.bytes;
}

}  // namespace stepwell::runtime
