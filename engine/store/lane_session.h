// LaneSession — one lane's way to write: every call fenced, numbered, and sent again until its
// outcome is known.
//
// Each call has a number n that the database records with its effects.  When the connection breaks,
// the session takes a new one over (which waits for whatever the old one still does) and sends the
// same call with the same n: if n has landed, the database answers and changes nothing.
// A batch that the database refuses is cut: what is not this lane's is dropped, what follows a
// start without its name is dropped, and what cannot be stored is looked for by halves. Not
// thread-safe; one lane's committer uses it.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/store/batch_parts.h"
#include "engine/store/lane_wire.h"
#include "engine/store/store.h"

namespace stepwell::store {

// What lost connections came to.
struct SessionCounts {
  std::uint64_t reconnected = 0, had_landed = 0, sent_again = 0;
};

class LaneSession : public Session {
 public:
  // `counted` is called after each reconnect with what it came to; may be empty.
  LaneSession(std::unique_ptr<LaneWire> wire, const Uuid& writer,
              std::function<void(const SessionCounts&)> counted = {})
      : wire_(std::move(wire)), writer_(writer), counted_(std::move(counted)) {}

  Uuid writer() const override { return writer_; }
  Result<Ack> commit(const Batch& batch) override;
  Result<ClaimResult> claim(const ClaimRequest& request) override;
  Result<std::vector<ExecutionId>> owned() override;
  Status close() override;

 private:
  // A batch, or what is left of it, cut into parts that are committed one by one.
  struct Part {
    Batch batch;
    std::int64_t n = 0;       // 0: never sent.
    bool has_landed = false;  // The database said so: only its reply is wanted.
  };
  struct Pending {
    std::uint64_t number = 0;
    std::deque<Part> parts;
    std::vector<ExecutionId> starts;               // In the order of Batch::starts.
    std::map<ExecutionId, StartOutcome> outcomes;  // By the id that was to be started.
    Ack ack;
  };

  // Connects again when the connection was lost.  kFenced, or kUnavailable for now.
  Status connect();
  Status reconnect();
  // Asks until there is an outcome that is not about the connection: a reply, or a trouble that
  // belongs to the data.
  template <class Ask>
  auto ask(const Ask& statement) -> Result<decltype(statement())>;

  Result<Ack> finish_pending();
  Status commit_part();
  void landed(const Part& part, const CommitReply& reply);
  void forget_handed_out(const Batch& batch);
  void forget_handed_out(ExecutionId id);
  Status cut(const Trouble& trouble);
  Status cut_lost(const std::string& why);
  void set_back(const std::string& why);
  void halve(const std::string& why);
  void hand_out(ClaimResult& result);

  std::unique_ptr<LaneWire> wire_;
  Uuid writer_;
  std::function<void(const SessionCounts&)> counted_;
  std::int64_t next_n_ = 1;
  std::int64_t acknowledged_n_ = 0;
  std::int64_t claim_n_ = 0;  // Of a claim without an answer yet.
  bool fenced_ = false;
  std::optional<Pending> pending_;
  std::uint64_t answered_number_ = 0;  // The last batch with an answer, and that.
  Ack answered_;
  // Messages, until consumed: inbox rows by their id, notices by their key.
  std::set<std::pair<ExecutionId, std::uint64_t>> inbox_out_;
  std::set<std::pair<ExecutionId, std::string>> notices_out_;
};

}  // namespace stepwell::store
