// Broker's side of a call's requests: recorded, bounded, run, answered.
#include <cstdio>

#include "base/hash.h"
#include "providers/host/broker/broker.h"
#include "providers/host/broker/library_calls.h"
#include "providers/host/frames.h"

namespace stepwell::host {
namespace {

constexpr int kMaxAtOnce = 4;  // Requests of one call.

std::uint64_t fingerprint_of(const std::string& kind, const Value& body) {
  return hash64(body.to_json(), hash64(kind));
}

}  // namespace

void Broker::on_request(const PluginRef& plugin, const CallRef& call, const Value& frame) {
  if (call->beat) call->beat();
  const std::string kind = text_of(frame, "kind");
  const Value* given = frame.find("body");
  const Value body = given == nullptr ? Value(Object()) : *given;
  const std::int64_t number = int_of(frame, "n");
  auto& records = call->records;
  // A run numbers its requests from 1.  A repeated number would let a plugin ask for free.
  if (number != ++call->asked) {
    plugin->culprit = call->wire_id;
    plugin->reason = "crash";
    return plugin->process->kill();  // It broke the protocol.
  }
  const auto index = static_cast<std::size_t>(number - 1);
  const std::uint64_t fingerprint = fingerprint_of(kind, body);
  ++call->awaited;
  if (index < records.size()) {
    if (records[index]->fingerprint == fingerprint) return replay(call, index);
    // This run asks for something else than the one before (the order of pairs() is not fixed).
    // That is fine unless the earlier run has sent a write.
    for (std::size_t i = index; i < records.size(); ++i) {
      if (!records[i]->is_write) continue;
      return end(call, fail("Ambiguous", call->folder->manifest.id + "." + call->function +
                                             " was interrupted after a write"));
    }
    records.resize(index);
  }
  const std::int64_t limit = call->folder->manifest.limits.requests;
  if (number > limit) {
    return end(call,
               fail("LimitExceeded", call->folder->manifest.id + "." + call->function +
                                         " made more than " + std::to_string(limit) + " requests"));
  }
  auto record = std::make_shared<Record>();
  record->fingerprint = fingerprint;
  record->is_wanted = true;
  if (kind == "http" && !is_repeatable(body)) {
    record->is_write = true;
    for (CallRef one = call; one != nullptr; one = one->caller.lock()) {
      if (one->asked_by != nullptr) one->asked_by->is_write = true;
    }
  }
  records.push_back(record);
  call->queue.push_back([this, call, index, kind, body] { run_request(call, index, kind, body); });
  while (call->running_requests < kMaxAtOnce && !call->queue.empty()) {
    ++call->running_requests;
    const auto run = std::move(call->queue.front());
    call->queue.pop_front();
    run();
  }
}

void Broker::replay(const CallRef& call, std::size_t index) {
  call->records[index]->is_wanted = true;
  if (call->records[index]->answer) deliver(call, index);
}

void Broker::run_request(const CallRef& call, std::size_t index, const std::string& kind,
                         const Value& body) {
  const auto record = call->records[index];
  AnswerDone done = [this, call, record, alive = alive_](Object answer) {
    if (*alive && !call->is_ended) finish_request(call, record, std::move(answer));
  };
  const bool is_library = call->folder->manifest.is_library;
  if (kind == "http" && !is_library) {
    return exchange(*shared_, call->folder, call->connection, body, call->ends_at - now(),
                    std::move(done));
  }
  if (is_library) return LibraryCalls(*this, call, record).run(kind, body, std::move(done));
  done(Object{{"error", fail("Unsupported", "only a library may use " + kind).to_value()}});
}

void Broker::finish_request(const CallRef& call, const std::shared_ptr<Record>& record,
                            Object answer) {
  if (call->beat) call->beat();
  record->answer = std::move(answer);
  --call->running_requests;
  for (std::size_t i = 0; i < call->records.size(); ++i) {
    if (call->records[i] == record) deliver(call, i);
  }
  while (!call->is_ended && call->running_requests < kMaxAtOnce && !call->queue.empty()) {
    ++call->running_requests;
    const auto run = std::move(call->queue.front());
    call->queue.pop_front();
    run();
  }
}

void Broker::deliver(const CallRef& call, std::size_t index) {
  Record& record = *call->records[index];
  const PluginRef plugin = call->plugin.lock();
  if (!record.is_wanted || plugin == nullptr || plugin->calls.count(call->wire_id) == 0) return;
  record.is_wanted = false;
  --call->awaited;
  Object frame = *record.answer;
  frame.set("f", "answer");
  frame.set("call", call->wire_id);
  frame.set("n", index + 1);
  Value whole(std::move(frame));
  if (whole.json_size() > kMaxFrameBytes) {
    whole = Value(Object{{"f", "answer"},
                         {"call", call->wire_id},
                         {"n", index + 1},
                         {"error", fail("TooLarge", "the answer is too large").to_value()}});
  }
  plugin->process->send(whole);
}

void Broker::log(const Call& call, const Value& frame) {
  const Value* fields = frame.find("fields");
  const std::string line = Value(Object{{"at", to_rfc3339(from_unix_ms(clock_now().count()))},
                                        {"level", text_of(frame, "level", "info")},
                                        {"call", call.folder->manifest.id + "." + call.function},
                                        {"execution", text_of(call.ctx, "execution")},
                                        {"connection", call.connection},
                                        {"text", text_of(frame, "text")},
                                        {"fields", fields == nullptr ? Value(Object()) : *fields}})
                               .to_json();
  const std::string scrubbed = shared_->secrets.scrub(line);
  if (options_.log) return options_.log(scrubbed);
  std::fprintf(stderr, "%s\n", scrubbed.c_str());
}

}  // namespace stepwell::host
