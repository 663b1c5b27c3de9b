#include "engine/runtime/programs.h"

#include "dsl/dsl.h"

namespace stepwell::runtime {

Result<ProgramRef> Programs::get(const Namespace& ns, const std::string& hash) {
  {
    const MutexLock lock(mutex_);
    const auto found = by_hash_.find({ns, hash});
    if (found != by_hash_.end()) return found->second;
  }
  const store::StoredProgram stored = TRY(store_.program_by_hash(ns, hash));
  ProgramRef program = TRY(dsl::load({.hash = stored.hash,
                                      .source = stored.source,
                                      .definition = stored.definition,
                                      .file = stored.file}));
  const MutexLock lock(mutex_);
  return by_hash_.emplace(Key{ns, hash}, std::move(program)).first->second;
}

Result<ProgramRef> Programs::current(const Namespace& ns, const std::string& workflow) {
  Known found = known(ns, workflow);
  if (found.program != nullptr && found.age_ms < kStaleMs) return std::move(found.program);
  return ask(ns, workflow);
}

Programs::Known Programs::known(const Namespace& ns, const std::string& workflow) {
  const std::int64_t now = clock_.monotonic_ms();
  const MutexLock lock(mutex_);
  const auto found = current_.find({ns, workflow});
  if (found != current_.end()) return {found->second.program, now - found->second.asked_ms, {}};
  const auto missing = missing_.find({ns, workflow});
  if (missing == missing_.end() || now - missing->second.asked_ms >= kStaleMs) return {};
  return {nullptr, now - missing->second.asked_ms, missing->second.error};
}

Result<ProgramRef> Programs::ask(const Namespace& ns, const std::string& workflow) {
  const std::int64_t now = clock_.monotonic_ms();
  const Key key{ns, workflow};
  const auto puts = [&] {
    const MutexLock lock(mutex_);
    const auto found = current_.find(key);
    return found == current_.end() ? 0 : found->second.puts;
  };
  const std::uint64_t puts_before = puts();
  const auto stored = store_.program_by_name(ns, workflow);
  if (!stored.ok()) return without_answer(key, stored.error());
  ProgramRef program = TRY(get(ns, stored->hash));
  const MutexLock lock(mutex_);
  Current& current = current_[key];
  // A deploy of this process that came meanwhile is newer than what was read.
  if (current.puts == puts_before) {
    current.program = program;
    current.asked_ms = now;
  }
  return current.program;
}

Result<ProgramRef> Programs::without_answer(const Key& key, const Error& error) {
  const std::int64_t now = clock_.monotonic_ms();
  const MutexLock lock(mutex_);
  if (error.code == ErrorCode::kNotFound) {
    if (missing_.size() >= kMostMissing) missing_.clear();  // It is only a shortcut.
    missing_[key] = {now, error};
    return error;
  }
  const auto found = current_.find(key);
  if (found == current_.end()) return error;
  found->second.asked_ms = now;
  return found->second.program;
}

void Programs::put(const Namespace& ns, const std::string& workflow, const ProgramRef& program) {
  const MutexLock lock(mutex_);
  by_hash_[{ns, program->hash}] = program;
  Current& current = current_[{ns, workflow}];
  current = {program, clock_.monotonic_ms(), current.puts + 1};
}

}  // namespace stepwell::runtime
