// PgSession — one lane's way to write: every call fenced, numbered, and sent again until its
// outcome is known.
//
// Each call has a number n that the database records with its effects.  When the connection breaks,
// the session takes a new one over (conn + 1, which waits for whatever the old backend still does)
// and sends the same call with the same n: if n has landed, the function answers and changes
// nothing. Not thread-safe; one lane's committer uses it.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "engine/postgres/link.h"
#include "engine/store/batch_parts.h"
#include "engine/store/store.h"

namespace stepwell::postgres {

class PgSession : public store::Session {
 public:
  // Registers a new writer of that node.
  static Result<std::unique_ptr<store::Session>> open(const PgOptions& options, const Uuid& node,
                                                      const Uuid& writer);

  Uuid writer() const override { return writer_; }
  Result<store::Ack> commit(const store::Batch& batch) override;
  Result<store::ClaimResult> claim(const store::ClaimRequest& request) override;
  Result<std::vector<ExecutionId>> owned() override;
  Status close() override;

 private:
  // A batch, or what is left of it, cut into parts that are committed one by one.
  struct Part {
    store::Batch batch;
    std::int64_t n = 0;  // 0: never sent.
  };
  struct Pending {
    std::uint64_t number = 0;
    std::deque<Part> parts;
    std::vector<ExecutionId> starts;                      // In the order of Batch::starts.
    std::map<ExecutionId, store::StartOutcome> outcomes;  // By the id that was to be started.
    store::Ack ack;
  };

  PgSession(PgOptions options, const Uuid& writer)
      : options_(std::move(options)), writer_(writer) {}

  // The link, connected again when it was lost.  kFenced, or kUnavailable for now.
  Result<Link*> connected();
  Status reconnect();
  // Sends until there is an outcome that is none of ours to handle: an answer, or a trouble that
  // belongs to the data.
  template <class MakeParameters>
  Result<Answer> send(const char* sql, const MakeParameters& parameters);

  Result<store::Ack> finish_pending();
  Status commit_part();
  void landed(const Part& part, const std::string& answer);
  void forget_handed_out(const store::Batch& batch);
  void forget_handed_out(ExecutionId id);
  Status cut(const Trouble& trouble);
  Status cut_taken();
  void set_back(const std::string& why);
  void halve(const std::string& why);

  PgOptions options_;
  Uuid writer_;
  std::unique_ptr<Link> link_;
  std::int64_t conn_ = 1;
  std::int64_t next_n_ = 1;
  std::int64_t acknowledged_n_ = 0;
  std::int64_t claim_n_ = 0;  // Of a claim without an answer yet.
  bool fenced_ = false;
  std::optional<Pending> pending_;
  std::uint64_t answered_number_ = 0;  // The last batch with an answer, and that.
  store::Ack answered_;
  std::set<std::pair<ExecutionId, std::uint64_t>> handed_out_;  // Inbox rows, until consumed.
};

}  // namespace stepwell::postgres
