// Store — where facts are kept.  It speaks batches and sets; it knows nothing of what they mean.
//
// Two kinds of caller:
//   * a lane holds a Session: every write it makes is one fenced call;
//   * everybody else (API, CLI, keeper, history readers) calls Store itself, and never touches
//     `owner` of a row whose writer is alive.
//
// Whoever is not a lane says for which Namespace it asks: what belongs to another one is answered
// as if it did not exist (kNotFound).  A lane serves all namespaces; what it claims names its own.
//
// Implementations: MemoryStore (here) and PgStore (engine/postgres); tests/store runs one suite on
// both.  All calls block.  A Store may be used from many threads; a Session from one at a time.
// Clock: the store's.  `now` in answers is the database's time.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.h"
#include "base/namespace.h"
#include "base/result.h"
#include "base/time.h"
#include "engine/step/command.h"
#include "engine/step/fact.h"

namespace stepwell::store {

inline constexpr const char* kDefaultPool = "default";
// The semantics of step() that this build can run: an execution that needs more is not claimed.
inline constexpr int kSemanticsVersion = static_cast<int>(kSemantics);

// One journal row.  `seq` counts from 1 in an execution; (execution, seq) is unique.
struct JournalRow {
  ExecutionId execution;
  std::uint64_t seq = 0;
  FactKind kind = FactKind::kStarted;
  CommandId command;
  Time at;
  std::uint64_t input_hash = 0;
  std::string payload;  // encode_payload()
};

struct FinishRow {
  ExecutionId execution;
  ExecutionStatus status = ExecutionStatus::kSucceeded;
  std::string output;  // JSON text; empty unless succeeded.
  std::optional<std::string> error, cause;
  Time at;
};

// Who goes first when there is more due than room.
enum class Priority : std::uint8_t { kHigh = 0, kNormal = 1, kLow = 2 };

struct Start {
  ExecutionId id;
  std::string workflow;  // Name.
  std::string program_hash;
  // The client's name for it; unique per (namespace, workflow) while kept.  Empty, or the id's own
  // text: nameless, and nothing is kept.
  std::string name;
  std::string input;  // JSON text.
  std::uint64_t input_hash = 0;
  std::string pool = kDefaultPool;
  int semantics = kSemanticsVersion;
  std::vector<std::string> tags;
  std::optional<ExecutionId> redrive_of;  // Runs again what failed in that one.
  JournalRow first;                       // The started fact; seq 1.
  // first.payload is encode_pins(): the store puts `input` back whenever it is read.
  bool is_first_slim = false;
  bool owned = false;  // In a lane's batch: is it to be owned by that lane at once?
  Namespace ns;
  std::uint32_t version = 0;  // Of the workflow, where the caller knows it.
  Priority priority = Priority::kNormal;
  std::string origin;  // What started it, for people; empty: a caller.
  // It ends in the batch that starts it: written once, as it ends, and never owned.  Whoever loses
  // the name writes neither.
  std::optional<FinishRow> end;
};

struct StartOutcome {
  enum class Kind : std::uint8_t { kCreated, kExistsSame, kExistsOther } kind = Kind::kCreated;
  ExecutionId id;  // Of the new one, or of the one that holds the name.
};

// Gives the execution back: no owner, no memory.  If its inbox has moved beyond `inbox_seen` it is
// due at once instead.
struct Park {
  ExecutionId execution;
  Time wake_at;
  std::uint64_t inbox_seen = 0;
  std::string waiting;  // JSON summary for operators.
};

struct WaitingRow {  // At most one of an execution in a batch.
  ExecutionId execution;
  std::string waiting;  // JSON; empty clears it.
};

// An execution whose fold is broken: kept out of every claim until somebody redrives or stops it.
struct Quarantine {
  ExecutionId execution;
  std::string reason;
};

struct InboxKey {
  ExecutionId execution;
  std::uint64_t id = 0;  // InboxRow::id
};

// A message that was appended without touching the execution's row.
struct NoticeKey {
  ExecutionId execution;
  std::string key;
};

// All that piled up in a lane while its last batch was under way.  Written whole or not at all.
struct Batch {
  std::uint64_t number = 0;  // Counts up in a session; how a lost reply is resolved.
  std::vector<Start> starts;
  std::vector<JournalRow> facts;
  std::vector<FinishRow> finishes;
  std::vector<Park> parks;
  std::vector<WaitingRow> waitings;
  std::vector<Quarantine> quarantines;
  std::vector<InboxKey> consumed;     // Inbox rows whose facts are in `facts`.
  std::vector<NoticeKey> notices;     // Likewise.
  std::vector<ExecutionId> released;  // Owned by me but not held any more (reconcile).

  // Every group once: what concerns all of them is written over this list.  `visit` is called with
  // a pointer to each member.
  template <class Visit>
  static constexpr void for_each_group(Visit&& visit) {
    visit(&Batch::starts);
    visit(&Batch::facts);
    visit(&Batch::finishes);
    visit(&Batch::parks);
    visit(&Batch::waitings);
    visit(&Batch::quarantines);
    visit(&Batch::consumed);
    visit(&Batch::notices);
    visit(&Batch::released);
  }
  std::size_t rows() const {
    std::size_t count = 0;
    for_each_group([&](auto group) { count += (this->*group).size(); });
    return count;
  }
  bool empty() const { return rows() == 0; }
};

struct Refused {
  ExecutionId execution;
  std::string reason;
};

// The batch is durable, except for what is listed here.
struct Ack {
  std::vector<StartOutcome> starts;  // One for each of Batch::starts.
  std::vector<Refused> refused;      // Rows that Postgres would not take; cut out of the batch.
  std::vector<ExecutionId> lost;     // Not mine any more ((execution, seq) was taken): drop them.
  Time now;                          // The store's time at the commit.
};

struct InboxRow {
  // The value that this delivery gave the execution's inbox_seq: 1, 2, ...  A park's inbox_seen is
  // the greatest id that the lane has taken up, or Claimed::inbox_seq when none came since.
  std::uint64_t id = 0;
  ExecutionId execution;
  FactKind kind = FactKind::kStopped;
  CommandId command;
  std::string dedupe_key;
  std::string payload;
};

struct Notice {
  NoticeKey key;
  FactKind kind = FactKind::kStopped;
  CommandId command;
  std::string payload;
};

// An execution as a lane takes it over.
struct Claimed {
  ExecutionId id;
  std::string workflow;
  std::string name;  // Its id's text when nobody gave it one.
  std::string program_hash;
  std::uint64_t inbox_seq = 0;
  std::uint32_t deaths = 0;         // Ungraceful deaths of owners without progress in between.
  std::string snapshot;             // Newest, or empty.
  std::uint64_t snapshot_seq = 0;   // Facts up to here are in it.
  std::uint64_t snapshot_hash = 0;  // SnapshotRow::journal_hash of it.
  std::vector<JournalRow> journal;  // Facts after the snapshot, in order of seq.
  std::vector<InboxRow> inbox;
  std::vector<Notice> notices;
  Namespace ns;
  bool is_slice = false;  // Of a distributed Map.
};

struct ClaimRequest {
  std::vector<std::string> pools = {kDefaultPool};
  int semantics = kSemanticsVersion;
  // 70 % of it are for those of high priority, 20 % for normal ones, 10 % for low ones; what one
  // does not use the others may (claim_room.h).
  std::uint32_t limit = 100;
  std::uint32_t slices = 2;  // Of distributed Maps; beside `limit`.
  // Suspects (deaths >= 2) are claimed by themselves, while the node holds none: few, and fewer
  // after each death, until the culprit is alone (suspects.h; `limit` is not theirs).  After five
  // claims alone that ended with the process, it is quarantined.
  bool take_suspect = false;
  // The claimed journals together; the first is taken whatever its size.
  std::optional<std::uint64_t> max_journal_bytes = std::nullopt;
};

struct ClaimResult {
  std::vector<Claimed> claimed;
  std::vector<InboxRow> inbox;   // For executions this lane owns already; each row is given once.
  std::vector<Notice> notices;   // Likewise.
  std::optional<Time> next_due;  // When the earliest unowned execution becomes due; suspects apart.
  Time now;
};

// One lane's way to write.  Fenced: once its writer row is marked dead every call answers kFenced
// and nothing is applied; the lane then drops all it holds and opens a new Session.
// A lost connection is dealt with inside (reconnect, ask whether the batch landed, send it again):
// kUnavailable means that the database is away and the caller should call again with the same
// arguments; no call answers kInDoubt.
class Session {
 public:
  virtual ~Session() = default;
  virtual Uuid writer() const = 0;
  virtual Result<Ack> commit(const Batch& batch) = 0;
  // Takes due executions without an owner, and looks into the inbox of those owned.
  // A claim whose answer is lost is asked for again by the next call with the same arguments.
  virtual Result<ClaimResult> claim(const ClaimRequest& request) = 0;
  // What the store believes this lane owns, for reconcile.
  virtual Result<std::vector<ExecutionId>> owned() = 0;
  // Graceful end: everything owned is given back, due at once; the writer row ends.
  virtual Status close() = 0;
};

struct NodeOptions {
  std::string label;
  Millis lease{15'000};
  std::vector<std::string> pools = {kDefaultPool};
  std::vector<std::string> resources = {};  // The task handlers that it has.
};

// One process: its lease, renewed on a thread and connection of its own.
class Node {
 public:
  virtual ~Node() = default;
  virtual Uuid id() const = 0;
  // Monotonic (boot-time) age of the newest renewal that is known to have landed.  A lane starts no
  // side effect beyond 80 % of the lease and claims nothing beyond 70 %.
  virtual Millis age() const = 0;
  virtual Millis lease() const = 0;
  // How often the lease was renewed after it had ended.  Lanes may have been marked dead meanwhile,
  // whatever the new lease says: each goes by it once the database has let its session in again.
  virtual std::uint64_t lapses() const = 0;
  virtual Result<std::unique_ptr<Session>> open_session() = 0;
};

struct SweepReport {
  std::uint32_t writers_marked = 0, executions_freed = 0, inbox_woken = 0, backends_terminated = 0;
  bool by_evidence = false;
};

struct ExecutionRow {
  ExecutionId id;
  std::string workflow, program_hash, name, pool;
  ExecutionStatus status = ExecutionStatus::kRunning;
  std::string input, output;  // JSON text; output empty unless succeeded.
  std::optional<std::string> error, cause;
  Time started_at;
  std::optional<Time> ended_at, wake_at;
  std::uint32_t redrive_count = 0;
  std::string waiting;        // JSON; empty when unknown.
  std::string quarantined;    // The reason; empty when it is not.
  std::optional<Uuid> owner;  // Writer.
  std::optional<ExecutionId> redrive_of;
  std::vector<std::string> tags;
  Namespace ns;
};

// From what an execution is called in its facts and ARNs; a Start's name must be set.  Valid as
// long as the row.
template <class Row>
RowNames names_of(const Row& row) {
  return {row.workflow, row.name, row.ns.account()};
}

struct ListFilter {
  std::string workflow;  // Empty: all.
  std::optional<ExecutionStatus> status;
  std::optional<ExecutionId> before;  // Page: executions older than this one.
  std::uint32_t limit = 50;           // At most 1,000.
  bool with_payloads = true;          // False: input and output stay empty, however large they are.
};

struct Delivery {
  ExecutionId execution;
  FactKind kind = FactKind::kStopped;  // kStopped or kRedriven; later callbacks, children's ends.
  CommandId command;
  std::string dedupe_key;  // A repeat changes nothing.
  std::string payload;
};

struct StoredProgram {
  std::string hash, workflow;
  std::string source;         // The text as deployed: YAML or JSON.
  std::string definition;     // Canonical JSON.
  std::string file;           // For messages; may be empty.
  std::uint32_t version = 0;  // Of the workflow name, counted from 1.
};

struct SnapshotRow {
  ExecutionId execution;
  std::uint64_t seq = 0;           // The last fact that is in it.
  std::uint64_t journal_hash = 0;  // Rolling hash of the journal up to there.
  std::string body;                // Execution::encode()
};

// What the keeper must know, in one call that is cheap when nothing goes on.
struct LookRequest {
  std::vector<std::string> pools = {kDefaultPool};
  int semantics = kSemanticsVersion;
  std::optional<Uuid> node = std::nullopt;  // Whose lanes' inboxes are looked at.
};

struct Look {
  Time now;
  // When the earliest unowned execution that a claim could take becomes due, and the earliest
  // suspect; not after `now`: it is.
  std::optional<Time> next_due, next_suspect;
  bool has_inbox = false;  // Something waits in the inbox of a lane of that node.
  // What sweep() is for: a lane may be marked dead, or was and still owns something, or a message
  // that is older than a second waits for an execution that nobody owns.
  bool has_late = false, has_unfreed = false, has_stale_inbox = false;
  bool needs_sweep() const { return has_late || has_unfreed || has_stale_inbox; }
};

class Store {
 public:
  virtual ~Store() = default;

  virtual Result<std::unique_ptr<Node>> join(const NodeOptions& options) = 0;

  // Starts that belong to no lane (API, CLI): due at once for whoever serves the pool.
  virtual Result<std::vector<StartOutcome>> start(const std::vector<Start>& starts) = 0;
  // 404 kNotFound; 409 kConflict when the execution's status does not allow it.
  virtual Status deliver(const Namespace& ns, const Delivery& delivery) = 0;

  virtual Result<ExecutionRow> describe(const Namespace& ns, ExecutionId id) = 0;
  // A name that looks like an id, and that nobody has given, is the id of a nameless execution.
  virtual Result<std::optional<ExecutionId>> find(const Namespace& ns, const std::string& workflow,
                                                  const std::string& name) = 0;
  // The newest first.
  virtual Result<std::vector<ExecutionRow>> list(const Namespace& ns, const ListFilter& filter) = 0;
  // Facts with seq > after, at most `limit`.
  virtual Result<std::vector<JournalRow>> journal(const Namespace& ns, ExecutionId id,
                                                  std::uint64_t after, std::uint32_t limit) = 0;

  virtual Status save_snapshot(const SnapshotRow& snapshot) = 0;
  // The newest with seq <= at_most.
  virtual Result<std::optional<SnapshotRow>> load_snapshot(const Namespace& ns, ExecutionId id,
                                                           std::uint64_t at_most) = 0;

  // The version number under that name (a definition deployed again keeps its number).
  virtual Result<std::uint32_t> put_program(const Namespace& ns, const StoredProgram& program) = 0;
  // Only what is a version of one of the namespace's workflows.
  virtual Result<StoredProgram> program_by_hash(const Namespace& ns, const std::string& hash) = 0;
  virtual Result<StoredProgram> program_by_name(const Namespace& ns,
                                                const std::string& workflow) = 0;

  virtual Result<Look> look(const LookRequest& request) = 0;
  // Marks the dead (three statements), frees what they owned, wakes inboxes.
  virtual Result<SweepReport> sweep() = 0;
  // Makes partitions ahead and forgets what is over; may take many seconds.  To be called once an
  // hour, whether there is anything to sweep or not: a start without a partition is refused.
  virtual Status maintain() = 0;
  virtual Result<Time> now() = 0;
  // Blocks until a hint arrives that something may be due: true; or the time is over: false.
  virtual bool wait_for_hint(Millis at_most) = 0;
  // Why the store is not usable (migration needed, fsync=off, ...); ok when it is.
  virtual Status check(bool allow_unsafe) = 0;
};

// The rolling hash that SnapshotRow::journal_hash carries: of all rows so far, and one more.  0 to
// begin with.
std::uint64_t roll_journal_hash(std::uint64_t before, const JournalRow& row);

std::unique_ptr<Store> make_memory_store();

}  // namespace stepwell::store
