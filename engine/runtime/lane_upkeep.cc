// Upkeep of a lane, about once a second: whatever waits is looked at, told about, or put away.
#include <algorithm>
#include <set>

#include "engine/runtime/lane.h"

namespace stepwell::runtime {
namespace {

constexpr std::size_t kTellAtMost = 10;  // Waits listed in a summary.

// Tasks that nobody here serves.
Value::Array unserved_waits(const OwnedExecution& held) {
  std::vector<CommandId> unserved;
  for (const auto& [command, outstanding] : held.outstanding) {
    if (outstanding.kind == Outstanding::Kind::kUnserved) unserved.push_back(command);
  }
  std::sort(unserved.begin(), unserved.end());
  Value::Array waits;
  for (const CommandId command : unserved) {
    if (waits.size() >= kTellAtMost) break;
    const auto waiter = held.x.waiting.find(command);
    if (waiter == held.x.waiting.end()) continue;
    const Frame& frame = held.x.frames.at(waiter->second);
    const State& state = held.program->state(frame.machine, frame.state);
    const auto* task = std::get_if<Task>(&state.kind);
    const std::string resource = task == nullptr ? "" : task->resource;
    waits.push_back(Object{
        {"state", state.name},
        {"where", place_text(*held.program, {frame.machine, frame.state, {}})},
        {"reason", "handler"},
        {"resource", resource},
        {"text", "no process that serves this pool has a handler for \"" + resource + "\""}});
  }
  return waits;
}

Value wait_json(const WaitingFor& wait) {
  Object json{{"state", wait.state}, {"where", wait.where}, {"reason", wait.reason}};
  if (wait.attempt > 1) json.set("attempt", wait.attempt);
  if (!wait.last_error.empty()) json.set("last_error", wait.last_error);
  if (wait.until) json.set("until", to_rfc3339(*wait.until));
  return json;
}

// {"for":[{"state","where","reason",...}],
//  "maps":[{"state","total","succeeded","running"}],"warning"}
std::string waiting_json(const OwnedExecution& held) {
  Value::Array waits = unserved_waits(held);
  const bool all_unserved = !waits.empty() && waits.size() == held.outstanding.size();
  if (!all_unserved) {
    // A state whose task nobody serves has been told, with more words than "task".
    std::set<std::string> told;
    for (const Value& one : waits) told.insert(one.find("state")->as_string());
    for (const WaitingFor& wait : held.x.waiting_for(*held.program, kTellAtMost)) {
      if (waits.size() >= kTellAtMost) break;
      if (wait.reason != "task" || !told.contains(wait.state)) waits.push_back(wait_json(wait));
    }
  }
  Object json{{"for", std::move(waits)}};
  Value::Array maps;
  for (const MapProgress& map : held.x.map_progress(*held.program)) {
    maps.push_back(Object{{"state", map.state},
                          {"total", map.total},
                          {"succeeded", map.succeeded},
                          {"running", map.running}});
  }
  if (!maps.empty()) json.set("maps", std::move(maps));
  if (std::string warning = held.x.warning(); !warning.empty()) {
    json.set("warning", std::move(warning));
  }
  return Value(std::move(json)).to_json();
}

bool has_map(const OwnedExecution& held) {
  return held.x.frames.size() > 1 || !held.x.finished_maps.empty();
}

}  // namespace

void Lane::upkeep() {
  if (is_stopping_) return;
  const std::int64_t now = world_.mono.monotonic_ms();
  for (const ExecutionId id : held_ids()) {
    if (OwnedExecution* held = find(id)) look_after(*held, now);
  }
  run_held_back();
  update_room();
  ask_reconcile();
  deadlines_.arm();  // The store's clock may have been corrected.
}

void Lane::look_after(OwnedExecution& held, std::int64_t now_ms) {
  if (held.is_ended || held.is_parking) return;
  const ExecutionId id = held.id;
  const bool waits = now_ms - held.progress_ms >= world_.settings.summary_after.count();
  if (waits && held.is_settled()) {
    audit(held);
    if (find(id) == nullptr || park_if_idle(held)) return;
  }
  // A fast execution never pays for it; a long Map tells how far it is, a long loop that it ends.
  const bool has_news = waits || has_map(held) || !held.x.warning().empty();
  if (has_news && held.durable > 0) summarize(held, now_ms);
}

// Everything that it waits for must have a runner or a timer here.
void Lane::audit(OwnedExecution& held) {
  for (Command& command : unattended(held)) {
    ++world_.counters.reissued;
    held.staged.push_back({held.durable, std::move(command)});
  }
  dispatch(held);
}

void Lane::summarize(OwnedExecution& held, std::int64_t now_ms) {
  if (held.summary_ms != 0 && held.summary_seq == held.seq) return;  // Nothing new.
  if (now_ms - held.summary_ms < world_.settings.summary_after.count()) return;
  held.summary_ms = now_ms;
  held.summary_seq = held.seq;
  open_.batch.waitings.push_back({held.id, waiting_json(held)});
}

// Whoever waits for the far future alone, or for somebody who is not here, needs no memory.
bool Lane::park_if_idle(OwnedExecution& held) {
  if (!held.is_settled() || held.is_ended || held.is_parking || held.outstanding.empty()) {
    return false;
  }
  const Time now = world_.clock.now();
  const Time near = now + world_.settings.park_beyond;
  Time wake = Time::max();
  for (const auto& [command, outstanding] : held.outstanding) {
    switch (outstanding.kind) {
      case Outstanding::Kind::kTask:
      case Outstanding::Kind::kHeldBack: return false;
      case Outstanding::Kind::kUnserved:
        wake = std::min(wake, now + world_.settings.unserved_retry);
        break;
      case Outstanding::Kind::kTimer:
        if (outstanding.due <= near) return false;
        wake = std::min(wake, outstanding.due);
        break;
    }
  }
  held.is_parking = true;
  open_.batch.parks.push_back({held.id, wake, held.inbox_seen, waiting_json(held)});
  return true;
}

void Lane::run_held_back() {
  auto tasks = std::exchange(held_back_, {});
  if (!tasks.empty()) want_claim();  // Its answer says that a lease that had ended counts again.
  for (auto& [id, command] : tasks) {
    OwnedExecution* held = find(id);
    if (held == nullptr) continue;
    const auto found = held->outstanding.find(command.id);
    const bool still =
        found != held->outstanding.end() && found->second.kind == Outstanding::Kind::kHeldBack;
    if (still) run_task(*held, std::move(command));
  }
}

// The committer gives back what names this lane and is not in the list.
void Lane::ask_reconcile() {
  const std::int64_t now = world_.mono.monotonic_ms();
  if (now - reconciled_ms_ < world_.settings.reconcile_period.count()) return;
  if (held_.empty() && folding_.empty() && committer_.owns_nothing()) return;
  reconciled_ms_ = now;
  flush();
  HeldList list;
  list.claims_seen = claims_seen_;
  for (const auto& [id, held] : held_) list.ids.insert(id);
  for (const auto& [id, inbox] : folding_) list.ids.insert(id);
  open_.held = std::move(list);
  flush();
}

}  // namespace stepwell::runtime
