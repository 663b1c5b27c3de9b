// Snapshots: an Execution as bytes.
//
//   "SWX" version | texts: count, then length and JSON of each | body
//
// The body holds numbers as varints and values as scalars or as positions in the texts.  What
// several places share (the variables of a hundred thousand iterations) stands once in the texts.
#include <algorithm>

#include "base/match.h"
#include "engine/step/execution.h"
#include "engine/step/snapshot_bytes.h"

namespace stepwell {

namespace {

using snapshot::Reader;
using snapshot::Writer;

// Format 1 is that of executions up to semantics 2; format 2 has the secret and the entries, too.
constexpr std::uint8_t format_of(const Pins& pins) { return pins.semantics < 3 ? 1 : 2; }

void write(Writer& out, const Pins& pins) {
  out.text(pins.program_hash);
  out.number(pins.semantics);
  out.number(pins.limits.max_payload_bytes);
  out.number(pins.limits.max_transitions);
  out.number(pins.limits.slice_transitions);
  out.number(pins.limits.max_value_depth);
  for (const std::string* text : {&pins.execution_arn, &pins.execution_name, &pins.role_arn,
                                  &pins.machine_arn, &pins.machine_name}) {
    out.text(*text);
  }
  out.number(pins.seed);
  if (out.format() < 2) return;
  out.text({reinterpret_cast<const char*>(pins.secret.data()), pins.secret.size()});
}

void read(Reader& in, Pins& pins) {
  pins.program_hash = in.text();
  pins.semantics = static_cast<std::uint32_t>(in.number());
  pins.limits.max_payload_bytes = in.number();
  pins.limits.max_transitions = in.number();
  pins.limits.slice_transitions = in.number();
  pins.limits.max_value_depth = static_cast<std::uint32_t>(in.number());
  for (std::string* text : {&pins.execution_arn, &pins.execution_name, &pins.role_arn,
                            &pins.machine_arn, &pins.machine_name}) {
    *text = in.text();
  }
  pins.seed = in.number();
  if (in.format() < 2) return;
  const std::string secret = in.text();
  if (secret.size() != pins.secret.size()) return in.refuse();
  std::copy(secret.begin(), secret.end(), pins.secret.begin());
}

void write(Writer& out, const std::optional<Millis>& duration) {
  out.flag(duration.has_value());
  if (duration) out.signed_number(duration->count());
}

std::optional<Millis> read_duration(Reader& in) {
  if (!in.flag()) return std::nullopt;
  return Millis(in.signed_number());
}

void write(Writer& out, const Children& children) {
  out.value(children.items);
  out.value(children.effective);
  out.number(children.results.size());
  for (const Value& result : children.results) out.value(result);
  for (const FrameId id : children.running) out.number(id.value);
  for (const std::uint64_t n : {children.next, children.live, children.finished, children.failed,
                                children.limit, children.tolerated}) {
    out.number(n);
  }
}

Children read_children(Reader& in) {
  Children children;
  children.items = in.value();
  children.effective = in.value();
  const std::uint64_t count = in.length();
  children.results.reserve(count);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) children.results.push_back(in.value());
  children.running.reserve(count);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    children.running.push_back(FrameId{in.number()});
  }
  for (std::uint64_t* n : {&children.next, &children.live, &children.finished, &children.failed,
                           &children.limit, &children.tolerated}) {
    *n = in.number();
  }
  return children;
}

void write_doing(Writer& out, const Frame& frame) {
  out.number(frame.doing.index());
  std::visit(match{
                 [&](const RunningTask& task) {
                   out.number(task.command.value);
                   out.number(task.input_hash);
                   out.value(task.input);
                   write(out, task.timeout);
                   write(out, task.heartbeat);
                 },
                 [&](const Sleeping& sleeping) {
                   out.number(sleeping.command.value);
                   out.time(sleeping.due);
                 },
                 [&](const BackingOff& backing) {
                   out.number(backing.command.value);
                   out.time(backing.due);
                 },
                 [&](const Children& children) { write(out, children); },
                 [](const Runnable&) {},
                 [](const Halted&) {},
             },
             frame.doing);
}

bool read_doing(Reader& in, Frame& frame) {
  switch (in.number()) {
    case 0: frame.doing = Runnable{}; return true;
    case 1: {
      RunningTask task;
      task.command = CommandId{in.number()};
      task.input_hash = in.number();
      task.input = in.value();
      task.timeout = read_duration(in);
      task.heartbeat = read_duration(in);
      frame.doing = std::move(task);
      return true;
    }
    case 2: {
      const CommandId command{in.number()};
      frame.doing = Sleeping{command, in.time()};
      return true;
    }
    case 3: {
      const CommandId command{in.number()};
      frame.doing = BackingOff{command, in.time()};
      return true;
    }
    case 4: frame.doing = read_children(in); return true;
    case 5: frame.doing = Halted{}; return true;
    default: return false;
  }
}

void write(Writer& out, const std::vector<std::uint32_t>& numbers) {
  out.number(numbers.size());
  for (const std::uint32_t one : numbers) out.number(one);
}

std::vector<std::uint32_t> read_numbers(Reader& in) {
  std::vector<std::uint32_t> numbers(in.length());
  for (std::uint32_t& one : numbers) one = static_cast<std::uint32_t>(in.number());
  return numbers;
}

// What only the extensions of the language leave in a frame; without them the bytes are those of
// old.
const std::vector<ToleratedFailure>* failures_of(const Frame& frame) {
  const auto* children = std::get_if<Children>(&frame.doing);
  return children != nullptr ? &children->failures : nullptr;
}

bool is_extended(const Frame& frame) {
  const auto* failures = failures_of(frame);
  return frame.group.has_value() || !frame.attempts.honored.empty() ||
         (failures != nullptr && !failures->empty());
}

void write_extensions(Writer& out, const Frame& frame) {
  write(out, frame.attempts.honored);
  out.flag(frame.group.has_value());
  if (frame.group) {
    out.number(frame.group->group);
    out.value(frame.group->input);
    out.value(frame.group->variables);
    write(out, frame.group->attempts.counted);
    write(out, frame.group->attempts.honored);
  }
  const auto* failures = failures_of(frame);
  out.number(failures != nullptr ? failures->size() : 0);
  if (failures == nullptr) return;
  for (const ToleratedFailure& one : *failures) {
    out.number(one.index);
    out.maybe_text(one.error);
    out.maybe_text(one.cause);
  }
}

void read_extensions(Reader& in, Frame& frame) {
  frame.attempts.honored = read_numbers(in);
  if (in.flag()) {
    GroupRun& run = frame.group.emplace();
    run.group = static_cast<std::uint32_t>(in.number());
    run.input = in.value();
    run.variables = in.value();
    run.attempts.counted = read_numbers(in);
    run.attempts.honored = read_numbers(in);
  }
  const std::uint64_t count = in.length();
  auto* children = std::get_if<Children>(&frame.doing);
  for (std::uint64_t i = 0; i < count && in.ok(); ++i) {
    ToleratedFailure one;
    one.index = in.number();
    one.error = in.maybe_text();
    one.cause = in.maybe_text();
    if (children != nullptr) children->failures.push_back(std::move(one));
  }
}

void write(Writer& out, const Frame& frame) {
  for (const std::uint64_t n :
       {frame.id.value, frame.parent.value, std::uint64_t{frame.machine.value},
        std::uint64_t{frame.state.value}, frame.index, frame.entered_event, frame.last_event}) {
    out.number(n);
  }
  out.value(frame.input);
  out.value(frame.variables);
  out.time(frame.entered_at);
  write(out, frame.attempts.counted);
  out.number(frame.attempt);
  if (out.format() >= 2) out.number(frame.entries);
  const bool extended = is_extended(frame);
  out.number((frame.entered ? 1u : 0u) | (frame.fresh ? 2u : 0u) | (frame.quiet ? 4u : 0u) |
             (extended ? 8u : 0u));
  out.text(frame.last_error);
  write_doing(out, frame);
  if (extended) write_extensions(out, frame);
}

bool read(Reader& in, Frame& frame) {
  frame.id = FrameId{in.number()};
  frame.parent = FrameId{in.number()};
  frame.machine = MachineId{static_cast<std::uint32_t>(in.number())};
  frame.state = StateId{static_cast<std::uint32_t>(in.number())};
  frame.index = in.number();
  frame.entered_event = in.number();
  frame.last_event = in.number();
  frame.input = in.value();
  frame.variables = in.value();
  frame.entered_at = in.time();
  frame.attempts.counted = read_numbers(in);
  frame.attempt = static_cast<std::uint32_t>(in.number());
  if (in.format() >= 2) frame.entries = in.number();
  const std::uint64_t flags = in.number();
  frame.entered = (flags & 1) != 0;
  frame.fresh = (flags & 2) != 0;
  frame.quiet = (flags & 4) != 0;
  frame.last_error = in.text();
  if (!read_doing(in, frame)) return false;
  if ((flags & 8) != 0) read_extensions(in, frame);
  return in.ok();
}

void write_head(Writer& out, const Execution& x) {
  out.flag(x.started);
  out.number(static_cast<std::uint64_t>(x.status));
  write(out, x.pins);
  out.value(x.input);
  out.value(x.output);
  out.maybe_text(x.error);
  out.maybe_text(x.cause);
  out.time(x.started_at);
  out.time(x.last_at);
  out.time(x.redriven_at);
  for (const std::uint64_t n : {std::uint64_t{x.redrive_count}, x.next_event, x.next_command,
                                x.next_frame, x.transitions, x.random_draws}) {
    out.number(n);
  }
  out.number(x.timeout_timer ? x.timeout_timer->value : 0);
  out.time(x.timeout_at);
  out.number(x.continuation ? x.continuation->value : 0);
}

void read_head(Reader& in, Execution& x) {
  x.started = in.flag();
  x.status = static_cast<ExecutionStatus>(in.number() % 5);
  read(in, x.pins);
  x.input = in.value();
  x.output = in.value();
  x.error = in.maybe_text();
  x.cause = in.maybe_text();
  x.started_at = in.time();
  x.last_at = in.time();
  x.redriven_at = in.time();
  x.redrive_count = static_cast<std::uint32_t>(in.number());
  for (std::uint64_t* n :
       {&x.next_event, &x.next_command, &x.next_frame, &x.transitions, &x.random_draws}) {
    *n = in.number();
  }
  if (const std::uint64_t id = in.number(); id != 0) x.timeout_timer = CommandId{id};
  x.timeout_at = in.time();
  if (const std::uint64_t id = in.number(); id != 0) x.continuation = CommandId{id};
}

// Which frame waits for what follows from the frames.
void index_waiting(Execution& x, const Frame& frame) {
  std::visit(match{
                 [&](const RunningTask& task) { x.waiting[task.command] = frame.id; },
                 [&](const Sleeping& sleeping) { x.waiting[sleeping.command] = frame.id; },
                 [&](const BackingOff& backing) { x.waiting[backing.command] = frame.id; },
                 [](const auto&) {},
             },
             frame.doing);
}

std::string encode_all(const Execution& x, bool share) {
  Writer out(format_of(x.pins), share);
  write_head(out, x);
  std::vector<const Frame*> frames;
  frames.reserve(x.frames.size());
  for (const auto& [id, frame] : x.frames) frames.push_back(&frame);
  std::sort(frames.begin(), frames.end(),
            [](const Frame* a, const Frame* b) { return a->id < b->id; });
  out.number(frames.size());
  for (const Frame* frame : frames) write(out, *frame);
  out.number(x.ready.size());
  for (const FrameId id : x.ready) out.number(id.value);
  out.number(x.finished_maps.size());
  for (const FinishedMap& map : x.finished_maps) {
    out.number(map.state.value);
    out.number(map.total);
    out.number(map.succeeded);
  }
  return out.finish();
}

}  // namespace

std::string Execution::encode() const { return encode_all(*this, true); }

bool Execution::same_as(const Execution& other) const {
  return encode_all(*this, false) == encode_all(other, false);
}

Result<Execution> Execution::decode(std::string_view bytes) {
  const Error broken{ErrorCode::kInvalid, "this is not a snapshot of an execution (format 1 or 2)"};
  Reader in(bytes);
  in.header();
  if (!in.ok()) return broken;
  Execution x;
  read_head(in, x);
  const std::uint64_t frames = in.length();
  x.frames.reserve(frames);
  for (std::uint64_t i = 0; i < frames; ++i) {
    Frame frame;
    if (!read(in, frame)) return broken;
    index_waiting(x, frame);
    if (const auto* children = std::get_if<Children>(&frame.doing)) {
      x.open += children->live * children->weight();
    }
    const FrameId id = frame.id;
    x.frames.emplace(id, std::move(frame));
  }
  const std::uint64_t ready = in.length();
  for (std::uint64_t i = 0; i < ready; ++i) x.ready.push_back(FrameId{in.number()});
  const std::uint64_t maps = in.length();
  for (std::uint64_t i = 0; i < maps; ++i) {
    const StateId state{static_cast<std::uint32_t>(in.number())};
    const std::uint64_t total = in.number();
    x.finished_maps.push_back({state, total, in.number()});
  }
  if (!in.ok() || !in.at_end()) return broken;
  return x;
}

}  // namespace stepwell
