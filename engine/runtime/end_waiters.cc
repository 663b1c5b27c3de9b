#include "engine/runtime/end_waiters.h"

#include <utility>

namespace stepwell::runtime {

void EndWaiters::hold(const Namespace& ns, ExecutionId id) {
  Shard& mine = shard(id);
  const MutexLock lock(mine.mutex);
  Entry& entry = mine.entries[id];
  entry.is_held = true;
  entry.ns = ns;
}

void EndWaiters::release(ExecutionId id) { tell(take(id), nullptr); }

std::vector<EndWaiters::Waiter> EndWaiters::take(ExecutionId id) {
  Shard& mine = shard(id);
  const MutexLock lock(mine.mutex);
  const auto found = mine.entries.find(id);
  if (found == mine.entries.end()) return {};
  std::vector<Waiter> waiting = std::move(found->second.waiters);
  mine.entries.erase(found);
  return waiting;
}

void EndWaiters::tell(const std::vector<Waiter>& waiting, const EndedRow& row) {
  for (const Waiter& waiter : waiting) waiter.told(row);
}

bool EndWaiters::is_held(const Namespace& ns, ExecutionId id) {
  Shard& mine = shard(id);
  const MutexLock lock(mine.mutex);
  const auto found = mine.entries.find(id);
  return found != mine.entries.end() && found->second.is_held && found->second.ns == ns;
}

std::uint64_t EndWaiters::when_released(const Namespace& ns, ExecutionId id, OnRelease told) {
  Shard& mine = shard(id);
  const MutexLock lock(mine.mutex);
  const auto found = mine.entries.find(id);
  if (found == mine.entries.end()) return 0;
  if (!found->second.is_held || found->second.ns != ns) return 0;
  const std::uint64_t key = ++last_key_;
  found->second.waiters.push_back({key, std::move(told)});
  return key;
}

std::uint64_t EndWaiters::expect(ExecutionId id, OnRelease told) {
  Shard& mine = shard(id);
  const MutexLock lock(mine.mutex);
  const std::uint64_t key = ++last_key_;
  mine.entries[id].waiters.push_back({key, std::move(told)});
  return key;
}

bool EndWaiters::forget(ExecutionId id, std::uint64_t key) {
  Shard& mine = shard(id);
  const MutexLock lock(mine.mutex);
  const auto found = mine.entries.find(id);
  if (found == mine.entries.end()) return false;
  Entry& entry = found->second;
  const bool was_waiting =
      std::erase_if(entry.waiters, [key](const Waiter& waiter) { return waiter.key == key; }) > 0;
  if (!entry.is_held && entry.waiters.empty()) mine.entries.erase(found);
  return was_waiting;
}

}  // namespace stepwell::runtime
