#include "engine/runtime/programs.h"

#include "dsl/dsl.h"

namespace stepwell::runtime {
namespace {

Result<ProgramRef> compile_stored(const store::StoredProgram& stored) {
  // From the author's text, so that messages name its lines.
  dsl::Compiled written = dsl::compile(stored.source, {.file = stored.file, .known_resources = {}});
  if (written.ok() && written.program->hash == stored.hash) return written.program;
  dsl::Compiled compiled =
      dsl::compile(stored.definition, {.file = stored.file, .known_resources = {}});
  if (compiled.ok()) return compiled.program;
  std::string why = compiled.diagnostics.empty() ? "" : compiled.diagnostics.front().message;
  return Error{ErrorCode::kInternal,
               "the stored program " + stored.hash + " does not compile here: " + why};
}

}  // namespace

Result<ProgramRef> Programs::get(const Namespace& ns, const std::string& hash) {
  {
    const std::scoped_lock lock(mutex_);
    const auto found = by_hash_.find({ns, hash});
    if (found != by_hash_.end()) return found->second;
  }
  const store::StoredProgram stored = TRY(store_.program_by_hash(ns, hash));
  ProgramRef program = TRY(compile_stored(stored));
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
