#include "engine/runtime/ends.h"

#include <chrono>
#include <memory>

namespace stepwell::runtime {

void Ends::hold(ExecutionId id) {
  Shard& mine = shard(id);
  const std::scoped_lock lock(mine.mutex);
  mine.held.try_emplace(id);
}

void Ends::release(ExecutionId id) {
  std::vector<Waiter> waiting;
  {
    Shard& mine = shard(id);
    const std::scoped_lock lock(mine.mutex);
    const auto found = mine.held.find(id);
    if (found == mine.held.end()) return;
    waiting = std::move(found->second);
    mine.held.erase(found);
  }
  for (const Waiter& waiter : waiting) waiter.told();
}

bool Ends::is_held(ExecutionId id) {
  Shard& mine = shard(id);
  const std::scoped_lock lock(mine.mutex);
  return mine.held.contains(id);
}

std::uint64_t Ends::when_released(ExecutionId id, std::function<void()> told) {
  Shard& mine = shard(id);
  const std::scoped_lock lock(mine.mutex);
  const auto found = mine.held.find(id);
  if (found == mine.held.end()) return 0;
  const std::uint64_t key = ++last_key_;
  found->second.push_back({key, std::move(told)});
  return key;
}

void Ends::forget(ExecutionId id, std::uint64_t key) {
  Shard& mine = shard(id);
  const std::scoped_lock lock(mine.mutex);
  const auto found = mine.held.find(id);
  if (found == mine.held.end()) return;
  std::erase_if(found->second, [key](const Waiter& waiter) { return waiter.key == key; });
}

bool Ends::wait(ExecutionId id, Millis at_most) {
  struct Bell {
    std::mutex mutex;
    std::condition_variable rang;
    bool is_released = false;
  };
  auto bell = std::make_shared<Bell>();
  const std::uint64_t key = when_released(id, [bell] {
    const std::scoped_lock lock(bell->mutex);
    bell->is_released = true;
    bell->rang.notify_all();
  });
  if (key == 0) return false;
  std::unique_lock lock(bell->mutex);
  if (bell->rang.wait_for(lock, at_most, [&] { return bell->is_released; })) return true;
  lock.unlock();
  forget(id, key);
  return false;
}

}  // namespace stepwell::runtime
