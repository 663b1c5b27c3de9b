#include "engine/runtime/programs.h"

#include "dsl/dsl.h"

namespace stepwell::runtime {

Result<ProgramRef> Programs::get(const Namespace& ns, const std::string& hash) {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = by_hash_.find({ns, hash});
    if (found != by_hash_.end()) return found->second;
  }
  const store::StoredProgram stored = TRY(store_.program_by_hash(ns, hash));
  ProgramRef program = TRY(dsl::load({.hash = stored.hash,
                                      .source = stored.source,
                                      .definition = stored.definition,
                                      .file = stored.file}));
  const std::scoped_lock lock(mutex_);
  return by_hash_.emplace(Key{ns, hash}, std::move(program)).first->second;
}

Result<ProgramRef> Programs::current(const Namespace& ns, const std::string& workflow) {
  const std::int64_t now = clock_.monotonic_ms();
  {
    const std::scoped_lock lock(mutex_);
    const auto found = current_.find({ns, workflow});
    if (found != current_.end() && now - found->second.asked_ms < kStaleMs) {
      return found->second.program;
    }
  }
  const store::StoredProgram stored = TRY(store_.program_by_name(ns, workflow));
  ProgramRef program = TRY(get(ns, stored.hash));
  const std::scoped_lock lock(mutex_);
  current_[{ns, workflow}] = {program, now};
  return program;
}

void Programs::put(const Namespace& ns, const std::string& workflow, const ProgramRef& program) {
  const std::scoped_lock lock(mutex_);
  by_hash_[{ns, program->hash}] = program;
  current_[{ns, workflow}] = {program, clock_.monotonic_ms()};
}

}  // namespace stepwell::runtime
