// A store that a test tampers with: what the world, or a bug, does between a lane and its store.
#pragma once

#include <functional>
#include <memory>
#include <utility>

#include "engine/store/store.h"

namespace stepwell::runtime {

// Each may be empty.  Called on the threads that call the store.
struct Tampering {
  std::function<Millis(Millis)> age;  // Of the newest renewal.
  std::function<std::uint64_t()> lapses;
  std::function<void()> before_open;  // Of a session.
  std::function<void(const store::ClaimRequest&)> on_claim;
  std::function<bool()> is_dead;  // After on_claim: the writer is marked dead, and hears it now.
  std::function<void(store::ClaimResult&)> claimed;               // May change what the lane hears.
  std::function<Status()> claimed_status;                         // An error takes a claim's place.
  std::function<Status()> on_owned;                               // An error is its answer.
  std::function<void(Uuid writer)> opened, before_claim, closed;  // Of a session.
  std::function<Status(const store::Batch&)> before_commit;       // An error is its answer.
  std::function<void(const store::Batch&)> before_ack;            // It is durable; the lane waits.
  std::function<Status()> on_maintain;                            // An error is its answer.
  std::function<void()> on_program;                               // A fold does not know it yet.
  std::function<Status()> on_name;  // Of a workflow, asked for; an error is its answer.
  std::function<void()> on_describe;
  std::function<void()> on_journal;
  std::function<Status()> before_look;  // An error is its answer.
};

class TamperedSession : public store::Session {
 public:
  TamperedSession(std::unique_ptr<store::Session> real, const Tampering& tampering)
      : real_(std::move(real)), tampering_(tampering) {}
  Uuid writer() const override { return real_->writer(); }
  Result<store::Ack> commit(const store::Batch& batch) override {
    if (tampering_.before_commit) TRY(tampering_.before_commit(batch));
    auto ack = real_->commit(batch);
    if (tampering_.before_ack) tampering_.before_ack(batch);
    return ack;
  }
  Result<store::ClaimResult> claim(const store::ClaimRequest& request) override {
    if (tampering_.on_claim) tampering_.on_claim(request);
    if (tampering_.before_claim) tampering_.before_claim(writer());
    if (tampering_.is_dead && tampering_.is_dead()) TRY(real_->close());
    auto result = real_->claim(request);
    if (result.ok() && tampering_.claimed) tampering_.claimed(*result);
    if (result.ok() && tampering_.claimed_status) TRY(tampering_.claimed_status());
    return result;
  }
  Result<std::vector<ExecutionId>> owned() override {
    if (tampering_.on_owned) TRY(tampering_.on_owned());
    return real_->owned();
  }
  Status close() override {
    Status status = real_->close();
    if (tampering_.closed) tampering_.closed(writer());
    return status;
  }

 private:
  std::unique_ptr<store::Session> real_;
  const Tampering& tampering_;
};

class TamperedNode : public store::Node {
 public:
  TamperedNode(std::unique_ptr<store::Node> real, const Tampering& tampering)
      : real_(std::move(real)), tampering_(tampering) {}
  Uuid id() const override { return real_->id(); }
  Millis age() const override {
    return tampering_.age ? tampering_.age(real_->age()) : real_->age();
  }
  Millis lease() const override { return real_->lease(); }
  std::uint64_t lapses() const override {
    return tampering_.lapses ? tampering_.lapses() : real_->lapses();
  }
  Result<std::unique_ptr<store::Session>> open_session() override {
    if (tampering_.before_open) tampering_.before_open();
    auto session = TRY(real_->open_session());
    if (tampering_.opened) tampering_.opened(session->writer());
    return std::unique_ptr<store::Session>(
        std::make_unique<TamperedSession>(std::move(session), tampering_));
  }

 private:
  std::unique_ptr<store::Node> real_;
  const Tampering& tampering_;
};

// `tampering` is not changed while an engine runs on the store, and outlives it.
class TamperedStore : public store::Store {
 public:
  TamperedStore(std::shared_ptr<store::Store> real, const Tampering& tampering)
      : real_(std::move(real)), tampering_(tampering) {}

  Result<std::unique_ptr<store::Node>> join(const store::NodeOptions& options) override {
    auto node = TRY(real_->join(options));
    return std::unique_ptr<store::Node>(
        std::make_unique<TamperedNode>(std::move(node), tampering_));
  }
  Result<std::vector<store::StartOutcome>> start(const std::vector<store::Start>& starts) override {
    return real_->start(starts);
  }
  Status deliver(const Namespace& ns, const store::Delivery& delivery) override {
    return real_->deliver(ns, delivery);
  }
  Result<store::ExecutionRow> describe(const Namespace& ns, ExecutionId id) override {
    if (tampering_.on_describe) tampering_.on_describe();
    return real_->describe(ns, id);
  }
  Result<std::optional<ExecutionId>> find(const Namespace& ns, const std::string& workflow,
                                          const std::string& name) override {
    return real_->find(ns, workflow, name);
  }
  Result<std::vector<store::ExecutionRow>> list(const Namespace& ns,
                                                const store::ListFilter& filter) override {
    return real_->list(ns, filter);
  }
  Result<std::vector<store::JournalRow>> journal(const Namespace& ns, ExecutionId id,
                                                 std::uint64_t after,
                                                 std::uint32_t limit) override {
    if (tampering_.on_journal) tampering_.on_journal();
    return real_->journal(ns, id, after, limit);
  }
  Status save_snapshot(const store::SnapshotRow& row) override { return real_->save_snapshot(row); }
  Result<std::optional<store::SnapshotRow>> load_snapshot(const Namespace& ns, ExecutionId id,
                                                          std::uint64_t at_most) override {
    return real_->load_snapshot(ns, id, at_most);
  }
  Result<std::uint32_t> put_program(const Namespace& ns,
                                    const store::StoredProgram& program) override {
    return real_->put_program(ns, program);
  }
  Result<store::StoredProgram> program_by_hash(const Namespace& ns,
                                               const std::string& hash) override {
    if (tampering_.on_program) tampering_.on_program();
    return real_->program_by_hash(ns, hash);
  }
  Result<store::StoredProgram> program_by_name(const Namespace& ns,
                                               const std::string& workflow) override {
    if (tampering_.on_name) TRY(tampering_.on_name());
    return real_->program_by_name(ns, workflow);
  }
  Result<store::Look> look(const store::LookRequest& request) override {
    if (tampering_.before_look) TRY(tampering_.before_look());
    return real_->look(request);
  }
  Result<store::SweepReport> sweep() override { return real_->sweep(); }
  Result<Time> now() override { return real_->now(); }
  Status maintain() override {
    if (tampering_.on_maintain) TRY(tampering_.on_maintain());
    return real_->maintain();
  }
  bool wait_for_hint(Millis at_most) override { return real_->wait_for_hint(at_most); }
  Status check(bool allow_unsafe) override { return real_->check(allow_unsafe); }

 private:
  std::shared_ptr<store::Store> real_;
  const Tampering& tampering_;
};

}  // namespace stepwell::runtime
